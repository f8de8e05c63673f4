// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";

import {SignerKind} from "../../src/libraries/SignerKind.sol";
import {P256_VERIFIER, WEBAUTHN_VERIFIER} from "../../src/libraries/Verifiers.sol";
import {vm} from "./Vm.sol";

/// @dev A key of any kind that an account takes.
struct Key {
    SignerKind kind;
    uint256 secret;
}

/// @dev Keys, their signatures, and approvals made of them.
library Signers {
    uint256 private constant N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551;
    bytes private constant CLIENT_DATA_START = '{"type":"webauthn.get","challenge":"';
    bytes private constant CLIENT_DATA_END = '","origin":"https://approve.example","crossOrigin":false}';

    function wallet(uint256 seed) internal pure returns (Key memory) {
        return Key(SignerKind.Wallet, secretOf(seed));
    }

    function p256(uint256 seed) internal pure returns (Key memory) {
        return Key(SignerKind.P256, secretOf(seed));
    }

    function passkey(uint256 seed) internal pure returns (Key memory) {
        return Key(SignerKind.Passkey, secretOf(seed));
    }

    /// @dev Smaller than the order of both curves.
    function secretOf(uint256 seed) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("key", seed))) >> 1 | 1;
    }

    function point(Key memory key) internal pure returns (bytes memory) {
        (uint256 x, uint256 y) = vm.publicKeyP256(key.secret);
        return abi.encode(x, y);
    }

    function signer(Key memory key) internal pure returns (bytes memory) {
        if (key.kind == SignerKind.Wallet) return abi.encodePacked(vm.addr(key.secret));
        return abi.encodePacked(key.kind == SignerKind.P256 ? P256_VERIFIER : WEBAUTHN_VERIFIER, point(key));
    }

    function signers(Key[] memory keys) internal pure returns (bytes[] memory list) {
        list = new bytes[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            list[i] = signer(keys[i]);
        }
    }

    function keyHash(Key memory key) internal pure returns (bytes32) {
        return keccak256(key.kind == SignerKind.Wallet ? signer(key) : point(key));
    }

    function sign(Key memory key, bytes32 digest) internal pure returns (bytes memory) {
        if (key.kind == SignerKind.Wallet) {
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(key.secret, digest);
            return abi.encodePacked(r, s, v);
        }
        if (key.kind == SignerKind.P256) {
            (bytes32 r, bytes32 s) = signLow(key, digest);
            return abi.encodePacked(r, s);
        }
        return assertion(key, digest, hex"05");
    }

    /// @dev What an authenticator answers: flags 01 is "user present", 04 "user verified".
    function assertion(Key memory key, bytes32 digest, bytes1 flags) internal pure returns (bytes memory) {
        bytes memory authenticatorData = abi.encodePacked(sha256("approve.example"), flags, uint32(7));
        bytes memory clientData =
            abi.encodePacked(CLIENT_DATA_START, Base64.encodeURL(abi.encodePacked(digest)), CLIENT_DATA_END);
        (bytes32 r, bytes32 s) = signLow(key, sha256(abi.encodePacked(authenticatorData, sha256(clientData))));
        return abi.encode(r, s, uint256(23), uint256(1), authenticatorData, string(clientData));
    }

    function signLow(Key memory key, bytes32 digest) internal pure returns (bytes32 r, bytes32 s) {
        (r, s) = vm.signP256(key.secret, digest);
        if (uint256(s) > N / 2) s = flipped(s);
    }

    function flipped(bytes32 s) internal pure returns (bytes32) {
        return bytes32(N - uint256(s));
    }

    /// @dev Ascending by the hash of the key, as the account wants it.
    function approval(Key[] memory keys, bytes32 digest) internal pure returns (bytes memory) {
        Key[] memory ordered = sorted(keys);
        bytes[] memory signatures = new bytes[](ordered.length);
        for (uint256 i = 0; i < ordered.length; ++i) {
            signatures[i] = sign(ordered[i], digest);
        }
        return abi.encode(signers(ordered), signatures);
    }

    function sorted(Key[] memory keys) internal pure returns (Key[] memory ordered) {
        ordered = new Key[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            uint256 at = i;
            for (; at > 0 && keyHash(ordered[at - 1]) > keyHash(keys[i]); --at) {
                ordered[at] = ordered[at - 1];
            }
            ordered[at] = keys[i];
        }
    }

    function list(Key memory a) internal pure returns (Key[] memory keys) {
        keys = new Key[](1);
        keys[0] = a;
    }

    function list(Key memory a, Key memory b) internal pure returns (Key[] memory keys) {
        keys = new Key[](2);
        (keys[0], keys[1]) = (a, b);
    }

    function list(Key memory a, Key memory b, Key memory c) internal pure returns (Key[] memory keys) {
        keys = new Key[](3);
        (keys[0], keys[1], keys[2]) = (a, b, c);
    }
}
