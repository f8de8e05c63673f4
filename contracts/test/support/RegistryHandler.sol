// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Head, IReleaseRegistry, Product, Release} from "../../src/interfaces/IReleaseRegistry.sol";
import {
    AcceptMessage,
    ConfigureMessage,
    HaltMessage,
    Messages,
    PromoteMessage,
    PublishMessage,
    RegisterMessage,
    RevokeMessage,
    VetoMessage
} from "./Messages.sol";
import {RegistryTest} from "./RegistryTest.sol";
import {Vm, vm} from "./Vm.sol";

/// @dev Takes random steps that are allowed, and tries ones that are not. It keeps its own account of what must hold
/// and asserts around every step; `fail_on_revert` makes a failed assertion, and a refusal of something allowed, a
/// failure of the run.
contract RegistryHandler is RegistryTest {
    using Messages for *;

    /// @dev What a device would do with a channel, and what may change only through Configure.
    struct Observation {
        bytes32 configuration;
        uint32 epoch;
        uint48 sequence;
        bool[4] releaseInstallable;
        bool[2] channelInstallable;
    }

    bytes32[] public products;
    mapping(bytes32 product => bytes32) public history;
    mapping(bytes32 product => uint256) public events;
    mapping(bytes32 product => uint256) public lastBlock;
    mapping(bytes32 product => mapping(uint256 version => bytes32)) public commitments;
    mapping(bytes32 topic => uint256) public eventCount;
    bytes32 public registrations;

    mapping(bytes32 product => ConfigureMessage) private scheduled;
    mapping(bytes32 product => uint256) private earliestApply;
    mapping(address account => uint256) private keys;

    constructor() {
        vm.recordLogs();
        setUp();
        keys[publisher] = PUBLISHER_KEY;
        keys[guardian] = GUARDIAN_KEY;
        keys[stranger] = STRANGER_KEY;
        keys[successor] = SUCCESSOR_KEY;
        products.push(product);
        account(vm.getRecordedLogs());
    }

    function productCount() external view returns (uint256) {
        return products.length;
    }

    function theRegistry() external view returns (IReleaseRegistry) {
        return registry;
    }

    function versionAt(uint256 index) public pure returns (string memory) {
        return [string("1.0.0"), "1.1.0-rc.1", "1.1.0", "2.0.0"][index % 4];
    }

    function channelAt(uint256 index) public pure returns (string memory) {
        return [string("stable"), "beta"][index % 2];
    }

    // ---- Steps that are allowed ------------------------------------------------------------------------------------

    function stepWait(uint256 duration) external {
        pass(bounded(duration, 1, 3 days));
    }

    function stepRegister(uint256 seed) external {
        RegisterMessage memory m = aRegister();
        m.name = string.concat("product-", vm.toString(seed % 2));
        m.delay = uint24(seed % 3 days);
        m.guardian = seed % 5 == 0 ? address(0) : guardian;
        bytes32 id = registry.productId(publisher, m.name);
        if (registry.product(id).publisher != address(0)) return;
        vm.recordLogs();
        register(m);
        products.push(id);
        account(vm.getRecordedLogs());
    }

    function stepPublish(uint256 seed, uint256 version) external {
        pick(seed);
        version %= 4;
        if (releaseOf(version).status != 0) return;
        Observation memory before = observe();
        PublishMessage memory m = aPublish(versionAt(version));
        m.image = keccak256(abi.encode(seed, version));
        m.rollbackIndex = uint32(seed % (uint256(registry.product(product).topIndex) + 2));
        vm.recordLogs();
        publish(m, signed(publisherKey(), m.hash()));
        settle(before);
        commitments[product][version] = keccak256(abi.encode(m.image, m.attestation));
        uint40 installableFrom = releaseOf(version).installableFrom;
        assertEqual(installableFrom, time() + registry.product(product).delay, "the veto window");
    }

    function stepPromote(uint256 seed, uint256 version, uint40 start) external {
        pick(seed);
        if (releaseOf(version).status != 1) return;
        Observation memory before = observe();
        PromoteMessage memory m = aPromote();
        m.channel = channelAt(seed);
        m.version = versionAt(version);
        Head memory head = registry.head(product, m.channel);
        m.counter = head.counter + 1;
        m.start = uint40(bounded(start, 0, time() + 3 days));
        vm.recordLogs();
        promote(m, signed(publisherKey(), m.hash()));
        settle(before);
        uint40 earliest = head.halted ? time() + registry.product(product).delay : time();
        assertTrue(registry.head(product, m.channel).start >= earliest, "hurried");
    }

    function stepPublisherRevokes(uint256 seed, uint256 version) external {
        pick(seed);
        if (seed % 4 != 0 || releaseOf(version).status != 1) return; // seldom, or nothing is left to promote
        Observation memory before = observe();
        RevokeMessage memory m = RevokeMessage(product, versionAt(version), soon());
        vm.recordLogs();
        revoke(m, publisherKey());
        settle(before);
        stopsOnly(before);
    }

    function stepPublisherHalts(uint256 seed) external {
        pick(seed);
        haltAs(seed, publisherKey());
    }

    function stepGuardianHalts(uint256 seed) external {
        pick(seed);
        haltAs(seed, guardianKey());
    }

    function stepGuardianRevokes(uint256 seed, uint256 version) external {
        pick(seed);
        Release memory release = releaseOf(version);
        if (guardianKey() == 0 || release.status != 1) return;
        Observation memory before = observe();
        RevokeMessage memory m = RevokeMessage(product, versionAt(version), soon());
        vm.recordLogs();
        if (time() < release.installableFrom) {
            revoke(m, guardianKey());
        } else if (guardianKey() != publisherKey()) {
            refused(abi.encodeCall(
                IReleaseRegistry.revoke,
                (product, m.version, m.deadline, vm.addr(guardianKey()), signed(guardianKey(), m.hash()))
            ));
        }
        settle(before);
        stopsOnly(before);
    }

    function stepGuardianVetoes(uint256 seed) external {
        pick(seed);
        Product memory state = registry.product(product);
        if (guardianKey() == 0 || state.pending == 0) return;
        Observation memory before = observe();
        VetoMessage memory m = aVeto();
        bytes memory approval = signed(guardianKey(), m.hash());
        vm.recordLogs();
        if (state.vetoable) {
            veto(m, approval);
        } else {
            refused(abi.encodeCall(IReleaseRegistry.veto, (m.product, m.pending, m.deadline, approval)));
        }
        settle(before);
        stopsOnly(before);
    }

    function stepConfigure(uint256 seed, uint24 delay) external {
        pick(seed);
        Observation memory before = observe();
        Product memory state = registry.product(product);
        ConfigureMessage memory m = ConfigureMessage(
            product, state.publisher, state.guardian, state.delay, state.trustRoot, state.epoch, soon()
        );
        if (seed & 0x100 != 0) m.publisher = seed & 0x200 != 0 ? publisher : successor;
        if (seed & 0x400 != 0) m.guardian = [address(0), guardian, stranger][(seed >> 16) % 3];
        if (seed & 0x800 != 0) m.delay = delay % 3 days;
        if (seed & 0x1000 != 0) m.trustRoot = keccak256(abi.encode(seed));
        vm.recordLogs();
        configure(m, signed(publisherKey(), m.hash()));
        settle(before);
        scheduled[product] = m;
        earliestApply[product] = time() + state.delay;
        assertEqual(registry.product(product).epoch, before.epoch + 1, "epoch");
    }

    function stepApply(uint256 seed) external {
        pick(seed);
        Product memory state = registry.product(product);
        ConfigureMessage memory m = scheduled[product];
        if (state.pending == 0) return;
        AcceptMessage memory a = AcceptMessage(product, m.publisher, state.epoch, soon());
        bytes memory acceptance = signed(keys[m.publisher], a.hash());
        if (time() < earliestApply[product]) {
            refused(abi.encodeCall(
                IReleaseRegistry.applyConfiguration,
                (product, m.publisher, m.guardian, m.delay, m.trustRoot, m.epoch, m.deadline, a.deadline, acceptance)
            ));
            return;
        }
        vm.recordLogs();
        applyConfiguration(m, a.deadline, acceptance);
        account(vm.getRecordedLogs());
        assertEqual(
            configurationOf(),
            keccak256(abi.encode(m.publisher, m.guardian, m.delay, m.trustRoot)),
            "another configuration"
        );
        assertEqual(registry.product(product).epoch, state.epoch + 1, "epoch");
        assertEqual(registry.product(product).pending, 0, "pending");
    }

    // ---- Steps that are not ----------------------------------------------------------------------------------------

    /// @dev The guardian's key, or a stranger's, under everything that only the publisher may approve.
    function stepForge(uint256 seed, uint256 version) external {
        pick(seed);
        uint256 key = seed % 2 == 0 ? GUARDIAN_KEY : STRANGER_KEY;
        Observation memory before = observe();
        vm.recordLogs();
        PublishMessage memory p = aPublish("9.9.9");
        refused(abi.encodeCall(
            IReleaseRegistry.publish,
            (p.product, p.version, p.image, p.attestation, 0, p.epoch, p.deadline, signed(key, p.hash()))
        ));
        PromoteMessage memory m = aPromote();
        m.version = versionAt(version);
        m.counter = registry.head(product, m.channel).counter + 1;
        refused(abi.encodeCall(
            IReleaseRegistry.promote,
            (
                m.product,
                m.channel,
                m.version,
                m.counter,
                m.start,
                m.duration,
                m.firstShare,
                m.epoch,
                m.deadline,
                signed(key, m.hash())
            )
        ));
        ConfigureMessage memory c = aConfigure();
        c.publisher = vm.addr(key);
        refused(abi.encodeCall(
            IReleaseRegistry.configure,
            (
                c.product,
                c.publisher,
                c.guardian,
                c.delay,
                c.trustRoot,
                c.epoch,
                c.deadline,
                signed(key, c.hash())
            )
        ));
        settle(before);
        stopsOnly(before);
    }

    // ---- Helpers ---------------------------------------------------------------------------------------------------

    function pick(uint256 seed) private {
        product = products[(seed >> 32) % products.length];
    }

    function publisherKey() private view returns (uint256) {
        return keys[registry.product(product).publisher];
    }

    function guardianKey() private view returns (uint256) {
        return keys[registry.product(product).guardian];
    }

    function releaseOf(uint256 version) private view returns (Release memory) {
        return registry.release(product, versionAt(version));
    }

    function haltAs(uint256 seed, uint256 key) private {
        string memory channel = channelAt(seed);
        Head memory head = registry.head(product, channel);
        if (key == 0 || head.version == 0 || head.halted) return;
        Observation memory before = observe();
        HaltMessage memory m = HaltMessage(product, channel, head.halts + 1, soon());
        vm.recordLogs();
        halt(m, key);
        settle(before);
        stopsOnly(before);
    }

    function refused(bytes memory data) private {
        (bool success,) = address(registry).call(data);
        assertTrue(!success, "this had to be refused");
    }

    function configurationOf() private view returns (bytes32) {
        Product memory state = registry.product(product);
        return keccak256(abi.encode(state.publisher, state.guardian, state.delay, state.trustRoot));
    }

    function observe() private view returns (Observation memory now_) {
        Product memory state = registry.product(product);
        now_.configuration = configurationOf();
        now_.epoch = state.epoch;
        now_.sequence = state.sequence;
        for (uint256 i = 0; i < 4; ++i) {
            now_.releaseInstallable[i] = registry.isInstallable(product, versionAt(i));
        }
        for (uint256 i = 0; i < 2; ++i) {
            Head memory head = registry.head(product, channelAt(i));
            bool installable = false;
            for (uint256 j = 0; j < 4; ++j) {
                if (head.version == bytes32(bytes(versionAt(j)))) installable = now_.releaseInstallable[j];
            }
            now_.channelInstallable[i] = installable && !head.halted && time() >= head.start;
        }
    }

    /// @dev After every step but an applied configuration.
    function settle(Observation memory before) private {
        account(vm.getRecordedLogs());
        Observation memory now_ = observe();
        assertEqual(now_.configuration, before.configuration, "a setter without its delay");
        assertTrue(now_.epoch >= before.epoch, "the epoch fell");
        assertTrue(now_.sequence >= before.sequence, "the sequence fell");
    }

    /// @dev After every step of a guardian: nothing became installable.
    function stopsOnly(Observation memory before) private view {
        Observation memory now_ = observe();
        for (uint256 i = 0; i < 4; ++i) {
            assertTrue(before.releaseInstallable[i] || !now_.releaseInstallable[i], "a release became installable");
        }
        for (uint256 i = 0; i < 2; ++i) {
            assertTrue(before.channelInstallable[i] || !now_.channelInstallable[i], "a channel became installable");
        }
    }

    /// @dev An auditor who knows the one rule and nothing else.
    function account(Vm.Log[] memory logs) private {
        for (uint256 i = 0; i < logs.length; ++i) {
            Vm.Log memory log = logs[i];
            bytes32 id = log.topics[1];
            assertEqual(log.topics.length, 4, "topics");
            assertEqual(uint256(log.topics[2]), ++events[id], "no sequence is left out");
            uint256[2] memory tail = lastWords(log.data);
            assertEqual(tail[0], lastBlock[id], "previousBlock");
            assertEqual(tail[1], time(), "time");
            lastBlock[id] = vm.getBlockNumber();
            history[id] = keccak256(bytes.concat(history[id], rawOf(log)));
            if (log.topics[0] == IReleaseRegistry.Registered.selector) {
                registrations = keccak256(bytes.concat(registrations, rawOf(log)));
            }
            ++eventCount[log.topics[0]];
        }
    }

    function lastWords(bytes memory data) private pure returns (uint256[2] memory words) {
        assembly {
            let end := add(add(data, 0x20), mload(data))
            mstore(words, mload(sub(end, 0x40)))
            mstore(add(words, 0x20), mload(sub(end, 0x20)))
        }
    }
}
