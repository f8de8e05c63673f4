// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev The two ERC-7913 verifiers of OpenZeppelin that signers may name, deployed with salt 0 through the deterministic
/// deployment proxy, so that they are at the same addresses on every chain. scripts/ computes them from the bytecode.
address constant P256_VERIFIER = 0xf746cC826D9Cc92A77fAb3BA7F4155b3b6321F20;
address constant WEBAUTHN_VERIFIER = 0xf542b12A3AAA90Ddf873796d014c6b551d376830;
