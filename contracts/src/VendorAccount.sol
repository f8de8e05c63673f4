// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {ERC7739Utils} from "@openzeppelin/contracts/utils/cryptography/draft-ERC7739Utils.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {AccountParameters, IVendorAccount} from "./interfaces/IVendorAccount.sol";
import {SignerSet, SignerSets} from "./libraries/SignerSets.sol";

/// @title Account of a vendor: k of n keys
/// @dev See IVendorAccount. Written on OpenZeppelin's ERC-7739 and ERC-7913 parts rather than on its ERC7739 and
/// MultiSigner contracts: those also take PersonalSign, whose domain outlives a signer, and a threshold that changes
/// under open approvals (docs/adr/0010).
contract VendorAccount is IVendorAccount, IERC1271, IERC5267 {
    using ERC7739Utils for bytes;
    using ERC7739Utils for string;
    using MessageHashUtils for bytes32;
    using SignerSets for SignerSet;

    uint40 private constant NOTICE = 30 days;
    bytes4 private constant REFUSED = 0xffffffff;
    bytes32 private constant NAME_HASH = keccak256("Firmproof Vendor Account");
    bytes32 private constant VERSION_HASH = keccak256("1");
    /// @dev By ERC-7739 this hash with an empty signature asks whether an account nests typed data.
    bytes32 private constant DETECTION_HASH = 0x7739773977397739773977397739773977397739773977397739773977397739;
    bytes4 private constant DETECTION_ANSWER = 0x77390001;

    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)");
    bytes32 private constant SET_SIGNERS_TYPEHASH =
        keccak256("SetSigners(bytes[] signers,uint64 threshold,bool passkeysAlone,uint64 epoch,uint64 deadline)");
    bytes32 private constant SET_RECOVERY_TYPEHASH =
        keccak256("SetRecovery(bytes[] signers,uint64 threshold,uint64 epoch,uint64 deadline)");
    bytes32 private constant RECOVER_TYPEHASH =
        keccak256("Recover(bytes[] signers,uint64 threshold,bool passkeysAlone,uint64 epoch,uint64 deadline)");
    bytes32 private constant CANCEL_RECOVERY_TYPEHASH = keccak256("CancelRecovery(bytes32 pending,uint64 deadline)");

    SignerSet private _signers;
    SignerSet private _recovery;
    bytes32 private _pending;
    uint40 private _pendingFrom;
    /// @dev Each announcement counts once: replayed, it would undo its cancellation, or begin the notice of another anew.
    mapping(bytes32 pending => bool) private _announced;

    constructor(AccountParameters memory parameters) {
        _signers.replace(parameters.signers, parameters.threshold, parameters.passkeysAlone);
        _replaceRecovery(parameters.recoverySigners, parameters.recoveryThreshold);
        _emitSignersSet();
        _emitRecoverySet();
    }

    // ---- Approving -------------------------------------------------------------------------------------------------

    /// @inheritdoc IERC1271
    /// @dev The typed path of ERC-7739 only. Reverts on signatures that are no ABI encoding, which callers take for no.
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (signature.length == 0) return hash == DETECTION_HASH ? DETECTION_ANSWER : REFUSED;
        (bytes calldata approval, bytes32 appSeparator, bytes32 contentsHash, string calldata contentsDescription) =
            signature.decodeTypedDataSig();
        if (approval.length == 0 || hash != appSeparator.toTypedDataHash(contentsHash)) return REFUSED;
        bytes32 structHash = contentsDescription.typedDataSignStructHash(contentsHash, _domainBytes());
        if (structHash == 0) return REFUSED;
        return _signers.approves(appSeparator.toTypedDataHash(structHash), approval)
            ? IERC1271.isValidSignature.selector
            : REFUSED;
    }

    // ---- Changes ---------------------------------------------------------------------------------------------------

    /// @inheritdoc IVendorAccount
    function setSigners(
        bytes[] calldata newSigners,
        uint64 newThreshold,
        bool newPasskeysAlone,
        uint64 epoch,
        uint64 deadline,
        bytes calldata approval,
        bytes calldata proof
    ) external {
        _requireInTime(deadline);
        _requireEpoch(epoch, _signers.epoch + 1);
        bytes32 digest =
            _digest(_signersHash(SET_SIGNERS_TYPEHASH, newSigners, newThreshold, newPasskeysAlone, epoch, deadline));
        if (!_signers.approves(digest, approval)) revert CurrentSignersRefused();
        // A recovery under way was announced to the signers that go now.
        _cancelPending();
        _replaceSigners(newSigners, newThreshold, newPasskeysAlone, digest, proof);
    }

    /// @inheritdoc IVendorAccount
    function setRecovery(
        bytes[] calldata newSigners,
        uint64 newThreshold,
        uint64 epoch,
        uint64 deadline,
        bytes calldata approval
    ) external {
        _requireInTime(deadline);
        _requireEpoch(epoch, _recovery.epoch + 1);
        bytes32 structHash =
            keccak256(abi.encode(SET_RECOVERY_TYPEHASH, _hashOf(newSigners), newThreshold, epoch, deadline));
        if (!_signers.approves(_digest(structHash), approval)) revert CurrentSignersRefused();
        _cancelPending();
        _replaceRecovery(newSigners, newThreshold);
        _emitRecoverySet();
        // What the old recovery set has signed dies with it, as what old signers have signed does (A46).
        _signers.renew();
        _emitSignersSet();
    }

    /// @inheritdoc IVendorAccount
    function scheduleRecovery(
        bytes[] calldata newSigners,
        uint64 newThreshold,
        bool newPasskeysAlone,
        uint64 epoch,
        uint64 deadline,
        bytes calldata approval
    ) external {
        _requireInTime(deadline);
        _requireEpoch(epoch, _signers.epoch + 1);
        bytes32 pending =
            _signersHash(RECOVER_TYPEHASH, newSigners, newThreshold, newPasskeysAlone, epoch, deadline);
        if (_announced[pending]) revert AlreadyAnnounced(pending);
        if (!_recovery.approves(_digest(pending), approval)) revert RecoverySignersRefused();
        // What could not come into force should not be found out a month later.
        SignerSets.requireUsable(newSigners, newThreshold, newPasskeysAlone);
        _cancelPending();
        uint40 pendingFrom = uint40(block.timestamp) + NOTICE;
        _announced[pending] = true;
        _pending = pending;
        _pendingFrom = pendingFrom;
        emit RecoveryScheduled(pending, pendingFrom, newSigners, newThreshold, newPasskeysAlone, epoch, deadline);
    }

    /// @inheritdoc IVendorAccount
    function cancelRecovery(bytes32 pending, uint64 deadline, bytes calldata approval) external {
        _requireInTime(deadline);
        _requirePending(pending);
        if (!_signers.approves(_digest(keccak256(abi.encode(CANCEL_RECOVERY_TYPEHASH, pending, deadline))), approval)) {
            revert CurrentSignersRefused();
        }
        _cancelPending();
    }

    /// @inheritdoc IVendorAccount
    function recover(
        bytes[] calldata newSigners,
        uint64 newThreshold,
        bool newPasskeysAlone,
        uint64 epoch,
        uint64 deadline,
        bytes calldata proof
    ) external {
        bytes32 pending = _signersHash(RECOVER_TYPEHASH, newSigners, newThreshold, newPasskeysAlone, epoch, deadline);
        _requirePending(pending);
        if (block.timestamp < _pendingFrom) revert NoticeNotOver(_pendingFrom, block.timestamp);
        delete _pending;
        delete _pendingFrom;
        _replaceSigners(newSigners, newThreshold, newPasskeysAlone, _digest(pending), proof);
    }

    // ---- Getters ---------------------------------------------------------------------------------------------------

    /// @inheritdoc IVendorAccount
    function signerEpoch() external view returns (uint64) {
        return _signers.epoch;
    }

    /// @inheritdoc IVendorAccount
    function signers() external view returns (bytes[] memory) {
        return _signers.signers;
    }

    /// @inheritdoc IVendorAccount
    function threshold() external view returns (uint64) {
        return _signers.threshold;
    }

    /// @inheritdoc IVendorAccount
    function passkeysAlone() external view returns (bool) {
        return _signers.passkeysAlone;
    }

    /// @inheritdoc IVendorAccount
    function isSigner(bytes calldata signer) external view returns (bool) {
        return _signers.contains(signer);
    }

    /// @inheritdoc IVendorAccount
    function recoveryEpoch() external view returns (uint64) {
        return _recovery.epoch;
    }

    /// @inheritdoc IVendorAccount
    function recoverySigners() external view returns (bytes[] memory) {
        return _recovery.signers;
    }

    /// @inheritdoc IVendorAccount
    function recoveryThreshold() external view returns (uint64) {
        return _recovery.threshold;
    }

    /// @inheritdoc IVendorAccount
    function pendingRecovery() external view returns (bytes32, uint40) {
        return (_pending, _pendingFrom);
    }

    /// @inheritdoc IVendorAccount
    function isSignedBy(bytes calldata signer, bytes32 hash, bytes calldata signature) external view returns (bool) {
        return SignerSets.isSignedBy(signer, hash, signature);
    }

    /// @inheritdoc IERC5267
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        return (0x1f, "Firmproof Vendor Account", "1", block.chainid, address(this), _salt(), new uint256[](0));
    }

    // ---- Conditions ------------------------------------------------------------------------------------------------

    function _requireInTime(uint64 deadline) private view {
        if (block.timestamp > deadline) revert ApprovalExpired(deadline, block.timestamp);
    }

    function _requireEpoch(uint64 epoch, uint64 expected) private pure {
        if (epoch != expected) revert SignerEpochMismatch(epoch, expected);
    }

    function _requirePending(bytes32 pending) private view {
        bytes32 expected = _pending;
        if (expected == 0) revert NoRecoveryPending();
        if (pending != expected) revert RecoveryMismatch(pending, expected);
    }

    // ---- State -----------------------------------------------------------------------------------------------------

    /// @param digest What the new k have signed, made under the old epoch.
    function _replaceSigners(
        bytes[] calldata newSigners,
        uint64 newThreshold,
        bool newPasskeysAlone,
        bytes32 digest,
        bytes calldata proof
    ) private {
        _signers.replace(newSigners, newThreshold, newPasskeysAlone);
        // Judged after the change: a set that cannot sign never comes into force.
        if (!_signers.approves(digest, proof)) revert NewSignersRefused();
        _emitSignersSet();
    }

    function _replaceRecovery(bytes[] memory newSigners, uint64 newThreshold) private {
        if (newSigners.length == 0 && newThreshold == 0) _recovery.clear();
        else _recovery.replace(newSigners, newThreshold, true);
    }

    function _cancelPending() private {
        bytes32 pending = _pending;
        if (pending == 0) return;
        delete _pending;
        delete _pendingFrom;
        emit RecoveryCancelled(pending);
    }

    function _emitSignersSet() private {
        emit SignersSet(_signers.epoch, _signers.signers, _signers.threshold, _signers.passkeysAlone);
    }

    function _emitRecoverySet() private {
        emit RecoverySet(_recovery.epoch, _recovery.signers, _recovery.threshold);
    }

    // ---- Values ----------------------------------------------------------------------------------------------------

    function _salt() private view returns (bytes32) {
        return bytes32(uint256(_signers.epoch));
    }

    /// @dev The domain's values, as both the domain separator and ERC-7739 take them.
    function _domainBytes() private view returns (bytes memory) {
        return abi.encode(NAME_HASH, VERSION_HASH, block.chainid, address(this), _salt());
    }

    function _digest(bytes32 structHash) private view returns (bytes32) {
        return keccak256(abi.encodePacked(DOMAIN_TYPEHASH, _domainBytes())).toTypedDataHash(structHash);
    }

    function _signersHash(
        bytes32 typeHash,
        bytes[] calldata newSigners,
        uint64 newThreshold,
        bool newPasskeysAlone,
        uint64 epoch,
        uint64 deadline
    ) private pure returns (bytes32) {
        return
            keccak256(abi.encode(typeHash, _hashOf(newSigners), newThreshold, newPasskeysAlone, epoch, deadline));
    }

    /// @dev EIP-712: an array of bytes is hashed as the concatenated hashes of its elements.
    function _hashOf(bytes[] calldata list) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](list.length);
        for (uint256 i = 0; i < list.length; ++i) {
            hashes[i] = keccak256(list[i]);
        }
        return keccak256(abi.encodePacked(hashes));
    }
}
