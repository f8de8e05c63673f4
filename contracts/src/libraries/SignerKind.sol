// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev What can sign: an address of 20 bytes, or a verifier and a point, 84 bytes.
enum SignerKind {
    None,
    Wallet,
    P256,
    Passkey
}
