// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Status of a release. Zero refuses: nothing permissive rests on absence.
uint8 constant STATUS_NONE = 0;
uint8 constant STATUS_ACTIVE = 1;
uint8 constant STATUS_REVOKED = 2;

/// @notice A line of devices that takes the same images.
/// @dev Packed into six words. Words +0, +2 and +3 are proven to devices and never change their form.
///
///   +0  publisher  address  20 bytes, offset  0   who approves everything about the product
///       sequence   uint48    6 bytes, offset 20   number of the product's latest event, from 1
///       topIndex   uint32    4 bytes, offset 26   highest rollback index that was published
///   +1  guardian   address  20 bytes, offset  0   who can only stop; zero means nobody
///       delay      uint24    3 bytes, offset 20   seconds between recording and taking effect
///       epoch      uint32    4 bytes, offset 23   rises when a configuration is scheduled and when it is applied
///       lastBlock  uint40    5 bytes, offset 27   block of the product's latest event
///   +2  history    bytes32                        hash chain over the product's raw logs
///   +3  trustRoot  bytes32                        sha-256 of the trust root document
///   +4  pending    bytes32                        struct hash of the scheduled Configure, or zero
///   +5  pendingFrom uint40   5 bytes, offset  0   when the scheduled Configure may be applied
///       vetoable   bool      1 byte,  offset  5   false for a change of guardian alone
struct Product {
    address publisher;
    uint48 sequence;
    uint32 topIndex;
    address guardian;
    uint24 delay;
    uint32 epoch;
    uint40 lastBlock;
    bytes32 history;
    bytes32 trustRoot;
    bytes32 pending;
    uint40 pendingFrom;
    bool vetoable;
}

/// @notice Where a channel points, and its rollout schedule.
/// @dev Two words, both proven to devices.
///
///   +0  version    bytes32                        left-aligned ASCII; zero while the channel is empty
///   +1  counter    uint32    4 bytes, offset  0   rises with every promote and every halt
///       start      uint40    5 bytes, offset  4   effective start of the rollout
///       duration   uint32    4 bytes, offset  9   seconds until the share is complete
///       firstShare uint16    2 bytes, offset 13   share at the start, in basis points
///       halted     bool      1 byte,  offset 15   devices do not install from a halted channel
///       halts      uint32    4 bytes, offset 16   number of halts, the nonce of Halt
struct Head {
    bytes32 version;
    uint32 counter;
    uint40 start;
    uint32 duration;
    uint16 firstShare;
    bool halted;
    uint32 halts;
}

/// @notice A published image with its version.
/// @dev Two words, both proven to devices.
///
///   +0  commitment      bytes32                      keccak256(abi.encode(image, attestation))
///   +1  status          uint8    1 byte,  offset  0  0 none, 1 active, 2 revoked
///       rollbackIndex   uint32   4 bytes, offset  1
///       publishedAt     uint40   5 bytes, offset  5
///       installableFrom uint40   5 bytes, offset 10  publishedAt + the delay at that time
///       sequence        uint48   6 bytes, offset 15  the event that recorded it
struct Release {
    bytes32 commitment;
    uint8 status;
    uint32 rollbackIndex;
    uint40 publishedAt;
    uint40 installableFrom;
    uint48 sequence;
}

/// @title Registry of firmware releases
/// @notice Answers one question: did this product's publisher approve this? There is no owner, no proxy and no admin,
/// anyone may relay an approval, and the caller of a function never matters.
///
/// Approvals are EIP-712 signatures in the domain ("Firmproof Registry", "1", chain id, registry), by a key or by an
/// ERC-1271 account. The arguments of each function are the fields of the signed type, in its order, with names,
/// channels and versions as strings; then the approval.
///
/// Every event has the topics (event id, product, sequence, key) and static data ending in
/// `uint40 previousBlock, uint40 time`. `previousBlock` is the block of the product's previous event (zero for the
/// first), so an audit walks back without scanning. With `‖` for concatenation of raw bytes,
///     history = keccak256(history ‖ topic0 ‖ topic1 ‖ topic2 ‖ topic3 ‖ data)
/// starting from zero: one rule for every event.
interface IReleaseRegistry {
    // ---- Events ----------------------------------------------------------------------------------------------------

    /// @notice A product exists from now on. Its epoch is 1 and its sequence is 1.
    /// @param name Left-aligned ASCII, as all names, channels and versions in events.
    /// @param predecessor Product that this one continues, perhaps on another chain; zero if none. A claim of the
    /// publisher that the registry does not check.
    event Registered(
        bytes32 indexed product,
        uint48 indexed sequence,
        bytes32 indexed trustRoot,
        bytes32 name,
        address publisher,
        address guardian,
        uint24 delay,
        bytes32 predecessor,
        uint40 previousBlock,
        uint40 time
    );

    /// @notice A release was recorded. This version of this product means these bytes forever.
    event Published(
        bytes32 indexed product,
        uint48 indexed sequence,
        bytes32 indexed version,
        bytes32 image,
        bytes32 attestation,
        uint32 rollbackIndex,
        uint40 installableFrom,
        uint40 previousBlock,
        uint40 time
    );

    /// @notice A channel points at a release; a halt, if there was one, is lifted.
    /// @param start The effective start, never earlier than the signed one.
    event Promoted(
        bytes32 indexed product,
        uint48 indexed sequence,
        bytes32 indexed channel,
        bytes32 version,
        uint32 counter,
        uint40 start,
        uint32 duration,
        uint16 firstShare,
        uint40 previousBlock,
        uint40 time
    );

    /// @notice A release must not be installed any more.
    /// @param approver The publisher, or the guardian within the veto window.
    event Revoked(
        bytes32 indexed product,
        uint48 indexed sequence,
        bytes32 indexed version,
        address approver,
        uint40 previousBlock,
        uint40 time
    );

    /// @notice Nothing is installed from the channel until the publisher promotes again.
    /// @param approver The publisher or the guardian.
    event Halted(
        bytes32 indexed product,
        uint48 indexed sequence,
        bytes32 indexed channel,
        address approver,
        uint32 halts,
        uint32 counter,
        uint40 previousBlock,
        uint40 time
    );

    /// @notice A configuration was scheduled; it replaces one that was pending. The data holds every field of the
    /// signed Configure, so that anyone can apply it.
    /// @param signedEpoch The epoch in the signed Configure. The product's epoch is now one higher.
    /// @param vetoable False for a change of guardian alone.
    event Scheduled(
        bytes32 indexed product,
        uint48 indexed sequence,
        bytes32 indexed pending,
        address publisher,
        address guardian,
        uint24 delay,
        bytes32 trustRoot,
        uint32 signedEpoch,
        uint64 deadline,
        uint40 pendingFrom,
        bool vetoable,
        uint40 previousBlock,
        uint40 time
    );

    /// @notice The scheduled configuration is in force.
    /// @param epoch The product's new epoch.
    event Applied(
        bytes32 indexed product,
        uint48 indexed sequence,
        bytes32 indexed pending,
        address publisher,
        address guardian,
        uint24 delay,
        bytes32 trustRoot,
        uint32 epoch,
        uint40 previousBlock,
        uint40 time
    );

    /// @notice The guardian stopped the scheduled configuration.
    event Vetoed(
        bytes32 indexed product,
        uint48 indexed sequence,
        bytes32 indexed pending,
        address guardian,
        uint40 previousBlock,
        uint40 time
    );

    // ---- Errors ----------------------------------------------------------------------------------------------------

    /// @notice Names and channels are 1 to 31 bytes of a-z and 0-9, with single '-' or '.' between them.
    error InvalidName(string name);
    /// @notice Versions are semver 2.0.0 without build metadata, at most 31 bytes, core numbers of at most 15 digits.
    error InvalidVersion(string version);
    /// @notice The approval's deadline has passed.
    error Expired(uint64 deadline, uint256 time);
    /// @notice The approval is not this signer's signature of exactly these fields in this registry.
    error ApprovalRefused(address signer);
    /// @notice Only the publisher or the guardian may approve this.
    error NotApprover(address approver);
    /// @notice No such product.
    error UnknownProduct(bytes32 product);
    /// @notice This publisher has registered this name already.
    error AlreadyRegistered(bytes32 product);
    /// @notice A product needs a publisher.
    error MissingPublisher();
    /// @notice A product needs a trust root.
    error MissingTrustRoot();
    /// @notice A release needs the digests of its image and of its attestation.
    error MissingDigest();
    /// @notice The delay is longer than 30 days.
    error DelayTooLong(uint24 delay, uint24 maximum);
    /// @notice The approval was made under another configuration.
    error EpochMismatch(uint32 epoch, uint32 expected);
    /// @notice A version is recorded once, forever.
    error VersionTaken(bytes32 product, bytes32 version);
    /// @notice The security floor rises by one at most.
    error RollbackIndexTooHigh(uint32 rollbackIndex, uint256 maximum);
    /// @notice The release does not exist (status 0) or is revoked (status 2).
    error ReleaseNotActive(bytes32 product, bytes32 version, uint8 status);
    /// @notice The channel has moved since the approval was made.
    error CounterMismatch(uint32 counter, uint32 expected);
    /// @notice Shares are basis points, at most 10000.
    error ShareTooLarge(uint16 firstShare, uint16 maximum);
    /// @notice There is nothing to halt.
    error ChannelEmpty(bytes32 product, bytes32 channel);
    /// @notice The channel is halted already.
    error AlreadyHalted(bytes32 product, bytes32 channel);
    /// @notice The channel has been halted since the approval was made.
    error HaltsMismatch(uint32 halts, uint32 expected);
    /// @notice The guardian may revoke only before the release becomes installable.
    error VetoWindowClosed(uint40 installableFrom, uint256 time);
    /// @notice No configuration is scheduled.
    error NothingPending(bytes32 product);
    /// @notice Another configuration is scheduled.
    error PendingMismatch(bytes32 pending, bytes32 expected);
    /// @notice The scheduled configuration may not be applied yet.
    error DelayNotOver(uint40 pendingFrom, uint256 time);
    /// @notice A change of guardian alone cannot be vetoed, else a guardian could never be removed.
    error NotVetoable(bytes32 pending);
    /// @notice The product has no guardian.
    error NoGuardian(bytes32 product);

    // ---- Changes ---------------------------------------------------------------------------------------------------

    /// @notice Registers a product under the publisher's own id, so a name cannot be squatted.
    /// @param approval The publisher's signature of
    /// `Register(address publisher,string name,address guardian,uint24 delay,bytes32 trustRoot,bytes32 predecessor,uint64 deadline)`.
    /// @return product The product id.
    function register(
        address publisher,
        string calldata name,
        address guardian,
        uint24 delay,
        bytes32 trustRoot,
        bytes32 predecessor,
        uint64 deadline,
        bytes calldata approval
    ) external returns (bytes32 product);

    /// @notice Records a release. It becomes installable when the product's delay is over.
    /// @param approval The publisher's signature of
    /// `Publish(bytes32 product,string version,bytes32 image,bytes32 attestation,uint32 rollbackIndex,uint32 epoch,uint64 deadline)`.
    function publish(
        bytes32 product,
        string calldata version,
        bytes32 image,
        bytes32 attestation,
        uint32 rollbackIndex,
        uint32 epoch,
        uint64 deadline,
        bytes calldata approval
    ) external;

    /// @notice Points a channel at an active release. The only way to lift a halt.
    /// @param counter The channel's current counter + 1.
    /// @param start The earliest start. The effective one is the latest of this, now, the time the release becomes
    /// installable and, after a halt, now + delay.
    /// @param approval The publisher's signature of
    /// `Promote(bytes32 product,string channel,string version,uint32 counter,uint40 start,uint32 duration,uint16 firstShare,uint32 epoch,uint64 deadline)`.
    function promote(
        bytes32 product,
        string calldata channel,
        string calldata version,
        uint32 counter,
        uint40 start,
        uint32 duration,
        uint16 firstShare,
        uint32 epoch,
        uint64 deadline,
        bytes calldata approval
    ) external;

    /// @notice Revokes a release for good.
    /// @param approver The publisher, or the guardian before the release becomes installable. Not signed: it only
    /// says whose signature to check.
    /// @param approval The approver's signature of `Revoke(bytes32 product,string version,uint64 deadline)`.
    function revoke(
        bytes32 product,
        string calldata version,
        uint64 deadline,
        address approver,
        bytes calldata approval
    ) external;

    /// @notice Halts a channel.
    /// @param halts The channel's current number of halts + 1: a nonce of its own, so promotes cannot outrun a halt.
    /// @param approver The publisher or the guardian. Not signed: it only says whose signature to check.
    /// @param approval The approver's signature of
    /// `Halt(bytes32 product,string channel,uint32 halts,uint64 deadline)`.
    function halt(
        bytes32 product,
        string calldata channel,
        uint32 halts,
        uint64 deadline,
        address approver,
        bytes calldata approval
    ) external;

    /// @notice Schedules a configuration, the only way to change one. Replaces one that is pending.
    /// @param epoch The product's current epoch. It rises, so every open approval dies.
    /// @param approval The publisher's signature of
    /// `Configure(bytes32 product,address publisher,address guardian,uint24 delay,bytes32 trustRoot,uint32 epoch,uint64 deadline)`.
    function configure(
        bytes32 product,
        address publisher,
        address guardian,
        uint24 delay,
        bytes32 trustRoot,
        uint32 epoch,
        uint64 deadline,
        bytes calldata approval
    ) external;

    /// @notice Applies the scheduled configuration after the delay. Anyone may call.
    /// @param epoch The epoch in the signed Configure, one below the product's current epoch.
    /// @param deadline The deadline in the signed Configure. It bounds scheduling only.
    /// @param acceptDeadline Deadline of the acceptance; ignored when the publisher stays.
    /// @param acceptance When the publisher changes, the new publisher's signature of
    /// `Accept(bytes32 product,address publisher,uint32 epoch,uint64 deadline)` with the product's current epoch;
    /// ignored when the publisher stays.
    function applyConfiguration(
        bytes32 product,
        address publisher,
        address guardian,
        uint24 delay,
        bytes32 trustRoot,
        uint32 epoch,
        uint64 deadline,
        uint64 acceptDeadline,
        bytes calldata acceptance
    ) external;

    /// @notice Drops the scheduled configuration. The epoch stays.
    /// @param pending Struct hash of the scheduled Configure.
    /// @param approval The guardian's signature of `Veto(bytes32 product,bytes32 pending,uint64 deadline)`.
    function veto(bytes32 product, bytes32 pending, uint64 deadline, bytes calldata approval) external;

    // ---- Getters ---------------------------------------------------------------------------------------------------

    /// @notice keccak256(abi.encode(chain id, registry, publisher, name)), name as left-aligned bytes32. The publisher
    /// is the one at registration: the id stays when the publisher changes.
    function productId(address publisher, string calldata name) external view returns (bytes32);

    /// @notice All zero for a product that does not exist.
    function product(bytes32 id) external view returns (Product memory);

    /// @notice All zero for a channel that was never promoted.
    function head(bytes32 product, string calldata channel) external view returns (Head memory);

    /// @notice All zero for a version that was never published.
    function release(bytes32 product, string calldata version) external view returns (Release memory);

    /// @notice Hash chain over the product's raw logs.
    function historyOf(bytes32 product) external view returns (bytes32);

    /// @notice Hash chain over the raw logs of all Registered events, by the same rule as a product's history.
    function registrations() external view returns (bytes32);

    /// @notice Whether the release is active and its veto window is over. Says nothing about channels and halts.
    function isInstallable(bytes32 product, string calldata version) external view returns (bool);
}
