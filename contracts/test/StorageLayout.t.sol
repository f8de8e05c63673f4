// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Head, Product, Release} from "../src/interfaces/IReleaseRegistry.sol";
import {ConfigureMessage, Messages, PromoteMessage, PublishMessage} from "./support/Messages.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {vm} from "./support/Vm.sol";

/// @dev Reads storage as a device does: from slots and offsets that it computes itself.
contract StorageLayoutTest is RegistryTest {
    using Messages for *;

    function setUp() public override {
        super.setUp();
        PublishMessage memory m = aPublish();
        m.rollbackIndex = 1;
        publish(m);
        pass(DELAY);
        promote(aPromote());
        halt(aHalt(), GUARDIAN_KEY);
        ConfigureMessage memory c = aConfigure();
        c.delay = 1;
        configure(c);
    }

    function wordAt(bytes32 base, uint256 offset) private view returns (uint256) {
        return uint256(vm.load(address(registry), bytes32(uint256(base) + offset)));
    }

    function field(uint256 word, uint256 offset, uint256 size) private pure returns (uint256) {
        return (word >> (offset * 8)) & ((1 << (size * 8)) - 1);
    }

    function test_ProductLiesInSlotZero() public view {
        bytes32 base = keccak256(abi.encode(product, uint256(0)));
        Product memory p = registry.product(product);
        uint256 word = wordAt(base, 0);
        assertEqual(field(word, 0, 20), uint160(publisher), "publisher");
        assertEqual(field(word, 20, 6), 5, "sequence");
        assertEqual(field(word, 26, 4), 1, "topIndex");
        assertEqual(field(word, 30, 2), 0, "rest of +0");
        word = wordAt(base, 1);
        assertEqual(field(word, 0, 20), uint160(guardian), "guardian");
        assertEqual(field(word, 20, 3), DELAY, "delay");
        assertEqual(field(word, 23, 4), 2, "epoch");
        assertEqual(field(word, 27, 5), vm.getBlockNumber(), "lastBlock");
        assertEqual(bytes32(wordAt(base, 2)), p.history, "history");
        assertEqual(bytes32(wordAt(base, 3)), TRUST_ROOT, "trustRoot");
        assertEqual(bytes32(wordAt(base, 4)), p.pending, "pending");
        assertTrue(p.pending != 0, "something is pending");
        word = wordAt(base, 5);
        assertEqual(field(word, 0, 5), time() + DELAY, "pendingFrom");
        assertEqual(field(word, 5, 1), 1, "vetoable");
        assertEqual(field(word, 6, 26), 0, "rest of +5");
    }

    function test_HeadLiesInSlotOne() public view {
        bytes32 channels = keccak256(abi.encode(product, uint256(1)));
        bytes32 base = keccak256(abi.encode(bytes32("stable"), channels));
        assertEqual(bytes32(wordAt(base, 0)), "7.28.0", "version");
        uint256 word = wordAt(base, 1);
        assertEqual(field(word, 0, 4), 2, "counter");
        assertEqual(field(word, 4, 5), time(), "start");
        assertEqual(field(word, 9, 4), 7 days, "duration");
        assertEqual(field(word, 13, 2), 500, "firstShare");
        assertEqual(field(word, 15, 1), 1, "halted");
        assertEqual(field(word, 16, 4), 1, "halts");
        assertEqual(field(word, 20, 12), 0, "rest of +1");
    }

    function test_ReleaseLiesInSlotTwo() public view {
        bytes32 versions = keccak256(abi.encode(product, uint256(2)));
        bytes32 base = keccak256(abi.encode(bytes32("7.28.0"), versions));
        assertEqual(bytes32(wordAt(base, 0)), keccak256(abi.encode(IMAGE, ATTESTATION)), "commitment");
        uint256 word = wordAt(base, 1);
        assertEqual(field(word, 0, 1), 1, "status");
        assertEqual(field(word, 1, 4), 1, "rollbackIndex");
        assertEqual(field(word, 5, 5), time() - DELAY, "publishedAt");
        assertEqual(field(word, 10, 5), time(), "installableFrom");
        assertEqual(field(word, 15, 6), 2, "sequence");
        assertEqual(field(word, 21, 11), 0, "rest of +1");
    }

    function test_RegistrationsLieInSlotThree() public view {
        assertEqual(bytes32(wordAt(0, 3)), registry.registrations(), "registrations");
        assertTrue(registry.registrations() != 0, "not empty");
    }
}
