// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IVendorAccount} from "../interfaces/IVendorAccount.sol";
import {SignerKind} from "./SignerKind.sol";
import {P256_VERIFIER, WEBAUTHN_VERIFIER} from "./Verifiers.sol";

/// @dev k of n keys. `kinds` is by the epoch that the set began in, so replacing a set forgets the old one at once; and
/// by key, so one key cannot be in a set twice under two verifiers (A45). A threshold of zero means that there is no
/// set: it approves nothing.
struct SignerSet {
    uint64 epoch;
    /// The epoch in which these signers came into force.
    uint64 since;
    uint64 threshold;
    bool passkeysAlone;
    bytes[] signers;
    mapping(uint64 epoch => mapping(bytes32 keyHash => SignerKind)) kinds;
}

/// @title Sets of ERC-7913 signers
library SignerSets {
    uint256 internal constant MAXIMUM_SIGNERS = 32;

    uint256 private constant WALLET_LENGTH = 20;
    uint256 private constant KEY_LENGTH = 64;
    uint256 private constant P256_SIGNATURE_LENGTH = 64;
    /// @dev What EIP-7702 puts at the address of a key: this and another address. No contract can begin with 0xef.
    bytes3 private constant DELEGATION_PREFIX = 0xef0100;
    uint256 private constant DELEGATION_LENGTH = 23;

    /// @dev Puts a new set in the place of the old one. Every reachable set can reach its threshold.
    function replace(SignerSet storage self, bytes[] memory signers, uint64 threshold, bool passkeysAlone) internal {
        (SignerKind[] memory kinds, bytes32[] memory keyHashes) = requireUsable(signers, threshold, passkeysAlone);
        uint64 epoch = ++self.epoch;
        for (uint256 i = 0; i < signers.length; ++i) {
            self.kinds[epoch][keyHashes[i]] = kinds[i];
        }
        self.since = epoch;
        self.threshold = threshold;
        self.passkeysAlone = passkeysAlone;
        self.signers = signers;
    }

    /// @dev Ends all open approvals by the set, which stays as it is.
    function renew(SignerSet storage self) internal {
        ++self.epoch;
    }

    /// @dev Whether signers could be a set: a threshold within reach, and keys that differ and can sign.
    function requireUsable(bytes[] memory signers, uint64 threshold, bool passkeysAlone)
        internal
        view
        returns (SignerKind[] memory kinds, bytes32[] memory keyHashes)
    {
        uint256 count = signers.length;
        if (count > MAXIMUM_SIGNERS) revert IVendorAccount.TooManySigners(count, MAXIMUM_SIGNERS);
        if (threshold == 0 || threshold > count) revert IVendorAccount.InvalidThreshold(threshold, count);
        kinds = new SignerKind[](count);
        keyHashes = new bytes32[](count);
        bool outside = passkeysAlone;
        for (uint256 i = 0; i < count; ++i) {
            (SignerKind kind, bytes32 keyHash) = _read(signers[i]);
            if (kind == SignerKind.None || !_canSign(kind, signers[i])) revert IVendorAccount.InvalidSigner(signers[i]);
            for (uint256 j = 0; j < i; ++j) {
                if (keyHashes[j] == keyHash) revert IVendorAccount.DuplicateKey(signers[i]);
            }
            (kinds[i], keyHashes[i]) = (kind, keyHash);
            outside = outside || kind != SignerKind.Passkey;
        }
        if (!outside) revert IVendorAccount.PasskeysOnly();
    }

    function clear(SignerSet storage self) internal {
        ++self.epoch;
        self.threshold = 0;
        delete self.signers;
    }

    /// @dev Whether at least k different signers of the set have signed the hash, and not with passkeys alone where
    /// that is not allowed (A49).
    /// @param approval abi.encode(bytes[] signers, bytes[] signatures), ascending by the hash of the key; reverts if it
    /// is anything else.
    function approves(SignerSet storage self, bytes32 hash, bytes calldata approval) internal view returns (bool) {
        (bytes[] memory signers, bytes[] memory signatures) = abi.decode(approval, (bytes[], bytes[]));
        (uint64 since, uint64 threshold, bool outside) = (self.since, self.threshold, self.passkeysAlone);
        uint256 count = signers.length;
        if (threshold == 0 || count < threshold || count != signatures.length) return false;
        bytes32 last = 0;
        for (uint256 i = 0; i < count; ++i) {
            (SignerKind kind, bytes32 keyHash) = _read(signers[i]);
            // Ascending order is also what makes each key count once (A12).
            if (keyHash <= last || kind == SignerKind.None || self.kinds[since][keyHash] != kind) return false;
            if (!_isSignedBy(kind, signers[i], hash, signatures[i])) return false;
            last = keyHash;
            outside = outside || kind != SignerKind.Passkey;
        }
        return outside;
    }

    function contains(SignerSet storage self, bytes memory signer) internal view returns (bool) {
        (SignerKind kind, bytes32 keyHash) = _read(signer);
        return kind != SignerKind.None && self.kinds[self.since][keyHash] == kind;
    }

    /// @dev Whether the signature is the signer's, whoever that is.
    function isSignedBy(bytes memory signer, bytes32 hash, bytes memory signature) internal view returns (bool) {
        (SignerKind kind,) = _read(signer);
        return kind != SignerKind.None && _isSignedBy(kind, signer, hash, signature);
    }

    /// @dev What the bytes say, without looking at the key itself.
    function _read(bytes memory signer) private pure returns (SignerKind kind, bytes32 keyHash) {
        uint256 length = signer.length;
        if (length == WALLET_LENGTH) return (SignerKind.Wallet, keccak256(signer));
        if (length != WALLET_LENGTH + KEY_LENGTH) return (SignerKind.None, 0);
        address verifier = address(bytes20(signer));
        if (verifier == P256_VERIFIER) kind = SignerKind.P256;
        else if (verifier == WEBAUTHN_VERIFIER) kind = SignerKind.Passkey;
        assembly ("memory-safe") {
            keyHash := keccak256(add(signer, 0x34), 0x40)
        }
    }

    /// @dev Whether there can be a private key: an address without a contract, a point on the curve.
    function _canSign(SignerKind kind, bytes memory signer) private view returns (bool) {
        if (kind == SignerKind.Wallet) {
            address wallet = address(bytes20(signer));
            bytes memory code = wallet.code;
            bool delegated = code.length == DELEGATION_LENGTH && bytes3(code) == DELEGATION_PREFIX;
            return wallet != address(0) && (code.length == 0 || delegated);
        }
        bytes32 x;
        bytes32 y;
        assembly ("memory-safe") {
            x := mload(add(signer, 0x34))
            y := mload(add(signer, 0x54))
        }
        return P256.isValidPublicKey(x, y);
    }

    /// @dev A wallet is always asked for a signature of its key, even where code has been delegated to it: its owner
    /// must not become somebody else by a transaction. A P-256 signature has one length, so that it has one form (A15).
    function _isSignedBy(SignerKind kind, bytes memory signer, bytes32 hash, bytes memory signature)
        private
        view
        returns (bool)
    {
        if (kind == SignerKind.Wallet) {
            (address recovered, ECDSA.RecoverError problem,) = ECDSA.tryRecover(hash, signature);
            return problem == ECDSA.RecoverError.NoError && recovered == address(bytes20(signer));
        }
        if (kind == SignerKind.P256 && signature.length != P256_SIGNATURE_LENGTH) return false;
        return SignatureChecker.isValidSignatureNow(signer, hash, signature);
    }
}
