// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReleaseRegistry, Product} from "../src/interfaces/IReleaseRegistry.sol";
import {Messages, RegisterMessage} from "./support/Messages.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {vm} from "./support/Vm.sol";

contract RegisterTest is RegistryTest {
    using Messages for *;

    function aSecond() private view returns (RegisterMessage memory m) {
        m = aRegister();
        m.name = "lamp-2";
    }

    function test_StoresTheProduct() public {
        RegisterMessage memory m = aSecond();
        m.predecessor = product;
        bytes32 id = register(m);

        Product memory stored = registry.product(id);
        assertEqual(stored.publisher, publisher, "publisher");
        assertEqual(stored.guardian, guardian, "guardian");
        assertEqual(stored.delay, DELAY, "delay");
        assertEqual(stored.epoch, 1, "epoch");
        assertEqual(stored.sequence, 1, "sequence");
        assertEqual(stored.topIndex, 0, "topIndex");
        assertEqual(stored.lastBlock, vm.getBlockNumber(), "lastBlock");
        assertEqual(stored.trustRoot, TRUST_ROOT, "trustRoot");
        assertEqual(stored.pending, 0, "pending");
        assertEqual(stored.pendingFrom, 0, "pendingFrom");
        assertTrue(!stored.vetoable, "vetoable");
    }

    function test_EmitsRegistered() public {
        RegisterMessage memory m = aSecond();
        m.predecessor = product;
        bytes32 id = registry.productId(publisher, "lamp-2");
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        vm.expectEmit(address(registry));
        emit IReleaseRegistry.Registered(
            id, 1, TRUST_ROOT, "lamp-2", publisher, guardian, DELAY, product, 0, time()
        );
        register(m, approval);
    }

    function test_ProductIdIsThePublishersOwn() public view {
        bytes32 expected =
            keccak256(abi.encode(block.chainid, address(registry), publisher, bytes32("lamp")));
        assertEqual(product, expected, "returned");
        assertEqual(registry.productId(publisher, "lamp"), expected, "getter");
        assertTrue(registry.productId(stranger, "lamp") != expected, "another publisher");
    }

    function test_HistoryAndRegistrationsFollowTheRawLog() public {
        bytes32 before = registry.registrations();
        vm.recordLogs();
        bytes32 id = register(aSecond());
        bytes memory entry = rawOf(vm.getRecordedLogs()[0]);
        assertEqual(registry.historyOf(id), keccak256(bytes.concat(bytes32(0), entry)), "history");
        assertEqual(registry.registrations(), keccak256(bytes.concat(before, entry)), "registrations");
    }

    function test_AllowsNoGuardianAndTheLongestDelay() public {
        RegisterMessage memory m = aSecond();
        m.guardian = address(0);
        m.delay = 30 days;
        assertEqual(registry.product(register(m)).delay, 30 days, "delay");
    }

    function test_RefusesASecondRegistration() public {
        RegisterMessage memory m = aRegister();
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        expectError(abi.encodeWithSelector(IReleaseRegistry.AlreadyRegistered.selector, product));
        register(m, approval);
    }

    /// @dev Also when the product has passed to somebody else: the id belongs to the history, not to the account.
    function test_RefusesASecondRegistrationAfterTheProductMoved() public {
        handOver();
        RegisterMessage memory m = aRegister();
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        expectError(abi.encodeWithSelector(IReleaseRegistry.AlreadyRegistered.selector, product));
        register(m, approval);
    }

    function test_RefusesAMissingPublisher() public {
        RegisterMessage memory m = aSecond();
        m.publisher = address(0);
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        expectError(abi.encodeWithSelector(IReleaseRegistry.MissingPublisher.selector));
        register(m, approval);
    }

    function test_RefusesAMissingTrustRoot() public {
        RegisterMessage memory m = aSecond();
        m.trustRoot = 0;
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        expectError(abi.encodeWithSelector(IReleaseRegistry.MissingTrustRoot.selector));
        register(m, approval);
    }

    function test_RefusesALongerDelay() public {
        RegisterMessage memory m = aSecond();
        m.delay = 30 days + 1;
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        expectError(
            abi.encodeWithSelector(IReleaseRegistry.DelayTooLong.selector, uint24(30 days + 1), uint24(30 days))
        );
        register(m, approval);
    }

    function test_RefusesAnInvalidName() public {
        RegisterMessage memory m = aSecond();
        m.name = "Lamp";
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        expectError(abi.encodeWithSelector(IReleaseRegistry.InvalidName.selector, "Lamp"));
        register(m, approval);
    }

    function test_RefusesAnotherSigner() public {
        RegisterMessage memory m = aSecond();
        bytes memory approval = signed(STRANGER_KEY, m.hash());
        expectRefused(publisher);
        register(m, approval);
    }

    function test_RefusesAnExpiredApproval() public {
        RegisterMessage memory m = aSecond();
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        vm.warp(uint256(m.deadline) + 1);
        expectError(abi.encodeWithSelector(IReleaseRegistry.Expired.selector, m.deadline, uint256(m.deadline) + 1));
        register(m, approval);
    }
}
