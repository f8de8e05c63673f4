// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {
    Head,
    IReleaseRegistry,
    Product,
    Release,
    STATUS_ACTIVE,
    STATUS_NONE,
    STATUS_REVOKED
} from "./interfaces/IReleaseRegistry.sol";
import {Names} from "./libraries/Names.sol";
import {ReleaseRegistryStorage} from "./ReleaseRegistryStorage.sol";

/// @title Registry of firmware releases
/// @dev Each function reads: what the state allows, then who approved, then the change, then its event. The approval
/// is checked before anything is written, by a static call at most, so there is nothing to re-enter.
contract ReleaseRegistry is IReleaseRegistry, ReleaseRegistryStorage, EIP712 {
    using Names for string;

    uint24 private constant MAXIMUM_DELAY = 30 days;
    uint16 private constant WHOLE_SHARE = 10_000;
    uint32 private constant FIRST_EPOCH = 1;

    bytes32 private constant REGISTER_TYPEHASH = keccak256(
        "Register(address publisher,string name,address guardian,uint24 delay,bytes32 trustRoot,bytes32 predecessor,uint64 deadline)"
    );
    bytes32 private constant PUBLISH_TYPEHASH = keccak256(
        "Publish(bytes32 product,string version,bytes32 image,bytes32 attestation,uint32 rollbackIndex,uint32 epoch,uint64 deadline)"
    );
    bytes32 private constant PROMOTE_TYPEHASH = keccak256(
        "Promote(bytes32 product,string channel,string version,uint32 counter,uint40 start,uint32 duration,uint16 firstShare,uint32 epoch,uint64 deadline)"
    );
    bytes32 private constant REVOKE_TYPEHASH = keccak256("Revoke(bytes32 product,string version,uint64 deadline)");
    bytes32 private constant HALT_TYPEHASH =
        keccak256("Halt(bytes32 product,string channel,uint32 halts,uint64 deadline)");
    bytes32 private constant CONFIGURE_TYPEHASH = keccak256(
        "Configure(bytes32 product,address publisher,address guardian,uint24 delay,bytes32 trustRoot,uint32 epoch,uint64 deadline)"
    );
    bytes32 private constant ACCEPT_TYPEHASH =
        keccak256("Accept(bytes32 product,address publisher,uint32 epoch,uint64 deadline)");
    bytes32 private constant VETO_TYPEHASH = keccak256("Veto(bytes32 product,bytes32 pending,uint64 deadline)");

    constructor() EIP712("Firmproof Registry", "1") {}

    // ---- Changes ---------------------------------------------------------------------------------------------------

    /// @inheritdoc IReleaseRegistry
    function register(
        address publisher,
        string calldata name,
        address guardian,
        uint24 delay,
        bytes32 trustRoot,
        bytes32 predecessor,
        uint64 deadline,
        bytes calldata approval
    ) external returns (bytes32 product) {
        bytes32 nameWord = name.toName();
        _requireConfiguration(publisher, delay, trustRoot);
        product = _productId(publisher, nameWord);
        Product storage state = _products[product];
        if (state.publisher != address(0)) revert AlreadyRegistered(product);
        _requireApproval(
            publisher,
            keccak256(
                abi.encode(
                    REGISTER_TYPEHASH,
                    publisher,
                    keccak256(bytes(name)),
                    guardian,
                    delay,
                    trustRoot,
                    predecessor,
                    deadline
                )
            ),
            deadline,
            approval
        );

        state.publisher = publisher;
        state.guardian = guardian;
        state.delay = delay;
        state.epoch = FIRST_EPOCH;
        state.trustRoot = trustRoot;

        bytes memory entry = _record(
            state,
            Registered.selector,
            product,
            trustRoot,
            abi.encode(nameWord, publisher, guardian, delay, predecessor)
        );
        _registrations = keccak256(abi.encodePacked(_registrations, entry));
    }

    /// @inheritdoc IReleaseRegistry
    function publish(
        bytes32 product,
        string calldata version,
        bytes32 image,
        bytes32 attestation,
        uint32 rollbackIndex,
        uint32 epoch,
        uint64 deadline,
        bytes calldata approval
    ) external {
        bytes32 versionWord = version.toVersion();
        Product storage state = _registered(product);
        _requireEpoch(state, epoch);
        if (image == 0 || attestation == 0) revert MissingDigest();
        uint256 topIndex = state.topIndex;
        if (rollbackIndex > topIndex + 1) revert RollbackIndexTooHigh(rollbackIndex, topIndex + 1);
        Release storage entry = _releases[product][versionWord];
        if (entry.status != STATUS_NONE) revert VersionTaken(product, versionWord);
        _requireApproval(
            state.publisher,
            keccak256(
                abi.encode(
                    PUBLISH_TYPEHASH,
                    product,
                    keccak256(bytes(version)),
                    image,
                    attestation,
                    rollbackIndex,
                    epoch,
                    deadline
                )
            ),
            deadline,
            approval
        );

        uint40 installableFrom = _now() + state.delay;
        entry.commitment = keccak256(abi.encode(image, attestation));
        entry.status = STATUS_ACTIVE;
        entry.rollbackIndex = rollbackIndex;
        entry.publishedAt = _now();
        entry.installableFrom = installableFrom;
        entry.sequence = state.sequence + 1;
        if (rollbackIndex > topIndex) state.topIndex = rollbackIndex;

        _record(
            state,
            Published.selector,
            product,
            versionWord,
            abi.encode(image, attestation, rollbackIndex, installableFrom)
        );
    }

    /// @inheritdoc IReleaseRegistry
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
    ) external {
        bytes32 channelWord = channel.toName();
        bytes32 versionWord = version.toVersion();
        Product storage state = _registered(product);
        _requireEpoch(state, epoch);
        if (firstShare > WHOLE_SHARE) revert ShareTooLarge(firstShare, WHOLE_SHARE);
        Head storage target = _heads[product][channelWord];
        if (counter != target.counter + 1) revert CounterMismatch(counter, target.counter + 1);
        uint40 installableFrom = _active(product, versionWord).installableFrom;
        _requireApproval(
            state.publisher,
            keccak256(
                abi.encode(
                    PROMOTE_TYPEHASH,
                    product,
                    keccak256(bytes(channel)),
                    keccak256(bytes(version)),
                    counter,
                    start,
                    duration,
                    firstShare,
                    epoch,
                    deadline
                )
            ),
            deadline,
            approval
        );

        // Neither a rollout in the past nor the way out of a halt can be hurried.
        uint40 effectiveStart = _latest(start, target.halted ? _now() + state.delay : _now());
        effectiveStart = _latest(effectiveStart, installableFrom);
        target.version = versionWord;
        target.counter = counter;
        target.start = effectiveStart;
        target.duration = duration;
        target.firstShare = firstShare;
        target.halted = false;

        _record(
            state,
            Promoted.selector,
            product,
            channelWord,
            abi.encode(versionWord, counter, effectiveStart, duration, firstShare)
        );
    }

    /// @inheritdoc IReleaseRegistry
    function revoke(
        bytes32 product,
        string calldata version,
        uint64 deadline,
        address approver,
        bytes calldata approval
    ) external {
        bytes32 versionWord = version.toVersion();
        Product storage state = _registered(product);
        Release storage entry = _active(product, versionWord);
        bool isPublisher = _requireApprover(state, approver);
        // What may already run on devices is the publisher's to judge; before that, stopping it harms nobody.
        if (!isPublisher && block.timestamp >= entry.installableFrom) {
            revert VetoWindowClosed(entry.installableFrom, block.timestamp);
        }
        _requireApproval(
            approver,
            keccak256(abi.encode(REVOKE_TYPEHASH, product, keccak256(bytes(version)), deadline)),
            deadline,
            approval
        );

        entry.status = STATUS_REVOKED;

        _record(state, Revoked.selector, product, versionWord, abi.encode(approver));
    }

    /// @inheritdoc IReleaseRegistry
    function halt(
        bytes32 product,
        string calldata channel,
        uint32 halts,
        uint64 deadline,
        address approver,
        bytes calldata approval
    ) external {
        bytes32 channelWord = channel.toName();
        Product storage state = _registered(product);
        Head storage target = _heads[product][channelWord];
        if (target.version == 0) revert ChannelEmpty(product, channelWord);
        if (target.halted) revert AlreadyHalted(product, channelWord);
        if (halts != target.halts + 1) revert HaltsMismatch(halts, target.halts + 1);
        _requireApprover(state, approver);
        _requireApproval(
            approver,
            keccak256(abi.encode(HALT_TYPEHASH, product, keccak256(bytes(channel)), halts, deadline)),
            deadline,
            approval
        );

        // The counter rises too, so a promote that was approved before the halt cannot undo it.
        uint32 counter = target.counter + 1;
        target.counter = counter;
        target.halted = true;
        target.halts = halts;

        _record(state, Halted.selector, product, channelWord, abi.encode(approver, halts, counter));
    }

    /// @inheritdoc IReleaseRegistry
    function configure(
        bytes32 product,
        address publisher,
        address guardian,
        uint24 delay,
        bytes32 trustRoot,
        uint32 epoch,
        uint64 deadline,
        bytes calldata approval
    ) external {
        Product storage state = _registered(product);
        _requireEpoch(state, epoch);
        _requireConfiguration(publisher, delay, trustRoot);
        bytes32 pending = _configureHash(product, publisher, guardian, delay, trustRoot, epoch, deadline);
        _requireApproval(state.publisher, pending, deadline, approval);

        bool guardianAlone = guardian != state.guardian && publisher == state.publisher && delay == state.delay
            && trustRoot == state.trustRoot;
        uint40 pendingFrom = _now() + state.delay;
        state.epoch = epoch + 1;
        state.pending = pending;
        state.pendingFrom = pendingFrom;
        state.vetoable = !guardianAlone;

        _record(
            state,
            Scheduled.selector,
            product,
            pending,
            abi.encode(publisher, guardian, delay, trustRoot, epoch, deadline, pendingFrom, !guardianAlone)
        );
    }

    /// @inheritdoc IReleaseRegistry
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
    ) external {
        Product storage state = _registered(product);
        bytes32 pending = _configureHash(product, publisher, guardian, delay, trustRoot, epoch, deadline);
        _requirePending(state, product, pending);
        if (block.timestamp < state.pendingFrom) revert DelayNotOver(state.pendingFrom, block.timestamp);
        uint32 currentEpoch = state.epoch;
        // A product is never handed to an account that does not answer.
        if (publisher != state.publisher) {
            _requireApproval(
                publisher,
                keccak256(abi.encode(ACCEPT_TYPEHASH, product, publisher, currentEpoch, acceptDeadline)),
                acceptDeadline,
                acceptance
            );
        }

        state.publisher = publisher;
        state.guardian = guardian;
        state.delay = delay;
        state.epoch = currentEpoch + 1;
        state.trustRoot = trustRoot;
        _clearPending(state);

        _record(
            state,
            Applied.selector,
            product,
            pending,
            abi.encode(publisher, guardian, delay, trustRoot, currentEpoch + 1)
        );
    }

    /// @inheritdoc IReleaseRegistry
    function veto(bytes32 product, bytes32 pending, uint64 deadline, bytes calldata approval) external {
        Product storage state = _registered(product);
        _requirePending(state, product, pending);
        if (!state.vetoable) revert NotVetoable(pending);
        address guardian = state.guardian;
        if (guardian == address(0)) revert NoGuardian(product);
        _requireApproval(guardian, keccak256(abi.encode(VETO_TYPEHASH, product, pending, deadline)), deadline, approval);

        _clearPending(state);

        _record(state, Vetoed.selector, product, pending, abi.encode(guardian));
    }

    // ---- Getters ---------------------------------------------------------------------------------------------------

    /// @inheritdoc IReleaseRegistry
    function productId(address publisher, string calldata name) external view returns (bytes32) {
        return _productId(publisher, name.toName());
    }

    /// @inheritdoc IReleaseRegistry
    function product(bytes32 id) external view returns (Product memory) {
        return _products[id];
    }

    /// @inheritdoc IReleaseRegistry
    function head(bytes32 product, string calldata channel) external view returns (Head memory) {
        return _heads[product][channel.toName()];
    }

    /// @inheritdoc IReleaseRegistry
    function release(bytes32 product, string calldata version) external view returns (Release memory) {
        return _releases[product][version.toVersion()];
    }

    /// @inheritdoc IReleaseRegistry
    function historyOf(bytes32 product) external view returns (bytes32) {
        return _products[product].history;
    }

    /// @inheritdoc IReleaseRegistry
    function registrations() external view returns (bytes32) {
        return _registrations;
    }

    /// @inheritdoc IReleaseRegistry
    function isInstallable(bytes32 product, string calldata version) external view returns (bool) {
        Release storage entry = _releases[product][version.toVersion()];
        return entry.status == STATUS_ACTIVE && block.timestamp >= entry.installableFrom;
    }

    // ---- Conditions ------------------------------------------------------------------------------------------------

    /// @dev The product's state, which must exist.
    function _registered(bytes32 product) private view returns (Product storage state) {
        state = _products[product];
        if (state.publisher == address(0)) revert UnknownProduct(product);
    }

    /// @dev The release, which must be active.
    function _active(bytes32 product, bytes32 version) private view returns (Release storage entry) {
        entry = _releases[product][version];
        if (entry.status != STATUS_ACTIVE) revert ReleaseNotActive(product, version, entry.status);
    }

    function _requireConfiguration(address publisher, uint24 delay, bytes32 trustRoot) private pure {
        if (publisher == address(0)) revert MissingPublisher();
        if (delay > MAXIMUM_DELAY) revert DelayTooLong(delay, MAXIMUM_DELAY);
        if (trustRoot == 0) revert MissingTrustRoot();
    }

    function _requireEpoch(Product storage state, uint32 epoch) private view {
        if (epoch != state.epoch) revert EpochMismatch(epoch, state.epoch);
    }

    function _requirePending(Product storage state, bytes32 product, bytes32 pending) private view {
        bytes32 expected = state.pending;
        if (expected == 0) revert NothingPending(product);
        if (pending != expected) revert PendingMismatch(pending, expected);
    }

    /// @dev Whether the approver is the publisher; if not, it must be the guardian.
    function _requireApprover(Product storage state, address approver) private view returns (bool isPublisher) {
        isPublisher = approver == state.publisher;
        // The zero address as guardian means nobody.
        if (!isPublisher && (approver == address(0) || approver != state.guardian)) revert NotApprover(approver);
    }

    /// @dev The one place where a signature is believed.
    function _requireApproval(address signer, bytes32 structHash, uint64 deadline, bytes calldata approval)
        private
        view
    {
        if (block.timestamp > deadline) revert Expired(deadline, block.timestamp);
        if (!SignatureChecker.isValidSignatureNowCalldata(signer, _hashTypedDataV4(structHash), approval)) {
            revert ApprovalRefused(signer);
        }
    }

    // ---- Records ---------------------------------------------------------------------------------------------------

    /// @dev Numbers the event, extends the history and emits the log. The hash and the log are made from the same
    /// bytes, so they cannot differ; that is why events are not emitted with `emit`.
    /// @param fields The event's data without its last two words, `previousBlock` and `time`, which this adds.
    /// @return entry The four topics and the data.
    function _record(Product storage state, bytes32 eventId, bytes32 product, bytes32 key, bytes memory fields)
        private
        returns (bytes memory entry)
    {
        uint256 sequence = uint256(state.sequence) + 1;
        entry = abi.encodePacked(
            eventId, product, sequence, key, fields, uint256(state.lastBlock), block.timestamp
        );
        state.sequence = uint48(sequence);
        state.lastBlock = uint40(block.number);
        state.history = keccak256(abi.encodePacked(state.history, entry));
        assembly ("memory-safe") {
            // After the length come the four topics, 128 bytes, and then the data.
            log4(add(entry, 0xa0), sub(mload(entry), 0x80), eventId, product, sequence, key)
        }
    }

    function _clearPending(Product storage state) private {
        state.pending = 0;
        state.pendingFrom = 0;
        state.vetoable = false;
    }

    // ---- Values ----------------------------------------------------------------------------------------------------

    function _productId(address publisher, bytes32 name) private view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), publisher, name));
    }

    function _configureHash(
        bytes32 product,
        address publisher,
        address guardian,
        uint24 delay,
        bytes32 trustRoot,
        uint32 epoch,
        uint64 deadline
    ) private pure returns (bytes32) {
        return keccak256(
            abi.encode(CONFIGURE_TYPEHASH, product, publisher, guardian, delay, trustRoot, epoch, deadline)
        );
    }

    function _now() private view returns (uint40) {
        return uint40(block.timestamp);
    }

    function _latest(uint40 a, uint40 b) private pure returns (uint40) {
        return a > b ? a : b;
    }
}
