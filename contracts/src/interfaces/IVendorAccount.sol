// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Who a new account belongs to. The recovery set may be empty, with threshold 0: then there is no recovery.
struct AccountParameters {
    bytes[] signers;
    uint64 threshold;
    bool passkeysAlone;
    bytes[] recoverySigners;
    uint64 recoveryThreshold;
}

/// @title Account of a vendor: k of n keys
/// @notice Approves through ERC-1271 whatever k of its signers have signed as ERC-7739 typed data. It holds nothing and
/// calls nothing.
///
/// A signer is, as in ERC-7913, the 20 bytes of a wallet's address, or 84 bytes: the P-256 or the WebAuthn verifier and
/// the point x ‖ y. An approval is abi.encode(bytes[] signers, bytes[] signatures), ascending by keccak256 of the key
/// (the address, or x ‖ y). Signatures are 65 bytes of a wallet, 64 bytes (r ‖ s, low s) of a P-256 key, or OpenZeppelin's
/// WebAuthnAuth of a passkey.
///
/// Unless `passkeysAlone`, one of the k signatures is not made in a browser: a page that lies cannot approve alone.
///
/// EIP-712, domain ("Firmproof Vendor Account", "1", chainId, account, salt = signer epoch), so approvals die with the
/// set of signers that they were made under. The signer epoch rises with each change of the signers or of the recovery set:
///
///     SetSigners(bytes[] signers,uint64 threshold,bool passkeysAlone,uint64 epoch,uint64 deadline)   old k and new k
///     SetRecovery(bytes[] signers,uint64 threshold,uint64 epoch,uint64 deadline)                      k
///     Recover(bytes[] signers,uint64 threshold,bool passkeysAlone,uint64 epoch,uint64 deadline)       recovery k and new k
///     CancelRecovery(bytes32 pending,uint64 deadline)                                                 k
///
/// Epochs are the next value. Anyone may relay.
interface IVendorAccount {
    event SignersSet(uint64 indexed epoch, bytes[] signers, uint64 threshold, bool passkeysAlone);
    event RecoverySet(uint64 indexed epoch, bytes[] signers, uint64 threshold);
    /// @dev Carries the Recover message as it was signed, so that it can be completed from the log alone.
    event RecoveryScheduled(
        bytes32 indexed pending,
        uint40 pendingFrom,
        bytes[] signers,
        uint64 threshold,
        bool passkeysAlone,
        uint64 epoch,
        uint64 deadline
    );
    event RecoveryCancelled(bytes32 indexed pending);

    error InvalidSigner(bytes signer);
    error DuplicateKey(bytes signer);
    error TooManySigners(uint256 count, uint256 maximum);
    error InvalidThreshold(uint64 threshold, uint256 count);
    error PasskeysOnly();
    error SignerEpochMismatch(uint64 epoch, uint64 expected);
    error ApprovalExpired(uint64 deadline, uint256 time);
    error CurrentSignersRefused();
    error NewSignersRefused();
    error RecoverySignersRefused();
    error AlreadyAnnounced(bytes32 pending);
    error NoRecoveryPending();
    error RecoveryMismatch(bytes32 pending, bytes32 expected);
    error NoticeNotOver(uint40 pendingFrom, uint256 time);

    /// @notice Replaces the signers at once. `approval` is by the old k, `proof` by the new k over the same hash.
    function setSigners(
        bytes[] calldata signers,
        uint64 threshold,
        bool passkeysAlone,
        uint64 epoch,
        uint64 deadline,
        bytes calldata approval,
        bytes calldata proof
    ) external;

    /// @notice Replaces the recovery set; empty with threshold 0 ends recovery. Cancels a recovery under way, and ends all
    /// open approvals of the signers.
    function setRecovery(
        bytes[] calldata signers,
        uint64 threshold,
        uint64 epoch,
        uint64 deadline,
        bytes calldata approval
    ) external;

    /// @notice Announces new signers, 30 days ahead. `approval` is by the recovery set's k, and counts once: another
    /// announcement takes its place and begins a notice of its own. The deadline bounds announcing, not what follows.
    function scheduleRecovery(
        bytes[] calldata signers,
        uint64 threshold,
        bool passkeysAlone,
        uint64 epoch,
        uint64 deadline,
        bytes calldata approval
    ) external;

    /// @notice The current k stop a recovery under way, before or after the end of its notice.
    function cancelRecovery(bytes32 pending, uint64 deadline, bytes calldata approval) external;

    /// @notice Puts announced signers in force once the notice is over, whenever that is. `proof` is by the new k over the
    /// same hash.
    function recover(
        bytes[] calldata signers,
        uint64 threshold,
        bool passkeysAlone,
        uint64 epoch,
        uint64 deadline,
        bytes calldata proof
    ) external;

    function signerEpoch() external view returns (uint64);
    function signers() external view returns (bytes[] memory);
    function threshold() external view returns (uint64);
    function passkeysAlone() external view returns (bool);
    function isSigner(bytes calldata signer) external view returns (bool);
    function recoveryEpoch() external view returns (uint64);
    function recoverySigners() external view returns (bytes[] memory);
    function recoveryThreshold() external view returns (uint64);
    /// @return pending Struct hash of the Recover message, or 0.
    /// @return pendingFrom When it may be put in force.
    function pendingRecovery() external view returns (bytes32 pending, uint40 pendingFrom);
    /// @notice Whether the signature over the hash is the signer's, a signer of this account or not.
    function isSignedBy(bytes calldata signer, bytes32 hash, bytes calldata signature) external view returns (bool);
}
