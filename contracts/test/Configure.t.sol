// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReleaseRegistry, Product} from "../src/interfaces/IReleaseRegistry.sol";
import {
    AcceptMessage,
    ConfigureMessage,
    Messages,
    PublishMessage,
    RegisterMessage,
    VetoMessage
} from "./support/Messages.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {vm} from "./support/Vm.sol";

/// @dev Configure, applyConfiguration and Veto.
contract ConfigureTest is RegistryTest {
    using Messages for *;

    bytes32 private constant NEW_ROOT = keccak256("new trust root");

    function aChange() private view returns (ConfigureMessage memory m) {
        m = aConfigure();
        m.delay = 1 days;
        m.trustRoot = NEW_ROOT;
    }

    function anAccept() private view returns (AcceptMessage memory) {
        return AcceptMessage(product, successor, epoch(), soon());
    }

    function expectConfigureError(ConfigureMessage memory m, bytes memory errorData) private {
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        expectError(errorData);
        configure(m, approval);
    }

    // ---- Schedule --------------------------------------------------------------------------------------------------

    function test_SchedulesWithoutChangingAnythingYet() public {
        ConfigureMessage memory m = aChange();
        configure(m);
        Product memory state = registry.product(product);
        assertEqual(state.pending, m.hash(), "pending");
        assertEqual(state.pendingFrom, time() + DELAY, "pendingFrom");
        assertTrue(state.vetoable, "vetoable");
        assertEqual(state.epoch, 2, "epoch");
        assertEqual(state.delay, DELAY, "delay");
        assertEqual(state.trustRoot, TRUST_ROOT, "trustRoot");
    }

    function test_EmitsScheduledWithEveryField() public {
        ConfigureMessage memory m = aChange();
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        vm.expectEmit(address(registry));
        emit IReleaseRegistry.Scheduled(
            product,
            2,
            m.hash(),
            publisher,
            guardian,
            1 days,
            NEW_ROOT,
            1,
            m.deadline,
            time() + DELAY,
            true,
            uint40(vm.getBlockNumber()),
            time()
        );
        configure(m, approval);
    }

    function test_ANewScheduleReplacesThePendingOneAndStartsTheDelayAgain() public {
        ConfigureMessage memory first = aChange();
        configure(first);
        pass(DELAY - 1);
        ConfigureMessage memory second = aConfigure();
        configure(second);
        assertEqual(registry.product(product).pendingFrom, time() + DELAY, "pendingFrom");
        assertEqual(registry.product(product).epoch, 3, "epoch");
        pass(DELAY);
        expectError(
            abi.encodeWithSelector(IReleaseRegistry.PendingMismatch.selector, first.hash(), second.hash())
        );
        applyConfiguration(first);
        applyConfiguration(second);
    }

    function test_OnlyAChangeOfGuardianAloneIsNotVetoable() public {
        for (uint256 change = 0; change < 16; ++change) {
            ConfigureMessage memory m = aConfigure();
            if (change & 1 != 0) m.publisher = successor;
            if (change & 2 != 0) m.guardian = stranger;
            if (change & 4 != 0) m.delay = DELAY - 1;
            if (change & 8 != 0) m.trustRoot = NEW_ROOT;
            configure(m);
            assertTrue(registry.product(product).vetoable == (change != 2), vm.toString(change));
        }
    }

    function test_RefusesToSchedule() public {
        ConfigureMessage memory m = aChange();
        m.product = 0;
        expectConfigureError(m, abi.encodeWithSelector(IReleaseRegistry.UnknownProduct.selector, bytes32(0)));
        m = aChange();
        m.epoch = 2;
        expectConfigureError(m, abi.encodeWithSelector(IReleaseRegistry.EpochMismatch.selector, uint32(2), uint32(1)));
        m = aChange();
        m.publisher = address(0);
        expectConfigureError(m, abi.encodeWithSelector(IReleaseRegistry.MissingPublisher.selector));
        m = aChange();
        m.trustRoot = 0;
        expectConfigureError(m, abi.encodeWithSelector(IReleaseRegistry.MissingTrustRoot.selector));
        m = aChange();
        m.delay = 30 days + 1;
        expectConfigureError(
            m, abi.encodeWithSelector(IReleaseRegistry.DelayTooLong.selector, uint24(30 days + 1), uint24(30 days))
        );
        m = aChange();
        m.deadline = 0;
        expectConfigureError(
            m, abi.encodeWithSelector(IReleaseRegistry.Expired.selector, uint64(0), uint256(time()))
        );
    }

    function test_RefusesToScheduleForTheGuardian() public {
        ConfigureMessage memory m = aChange();
        bytes memory approval = signed(GUARDIAN_KEY, m.hash());
        expectRefused(publisher);
        configure(m, approval);
    }

    // ---- Apply -----------------------------------------------------------------------------------------------------

    function test_AnyoneAppliesAfterTheDelay() public {
        ConfigureMessage memory m = aChange();
        configure(m);
        pass(DELAY);
        vm.prank(stranger);
        applyConfiguration(m);
        Product memory state = registry.product(product);
        assertEqual(state.publisher, publisher, "publisher");
        assertEqual(state.guardian, guardian, "guardian");
        assertEqual(state.delay, 1 days, "delay");
        assertEqual(state.trustRoot, NEW_ROOT, "trustRoot");
        assertEqual(state.epoch, 3, "epoch");
        assertEqual(state.pending, 0, "pending");
        assertEqual(state.pendingFrom, 0, "pendingFrom");
        assertTrue(!state.vetoable, "vetoable");
    }

    function test_EmitsApplied() public {
        ConfigureMessage memory m = aChange();
        configure(m);
        uint256 scheduledIn = vm.getBlockNumber();
        pass(DELAY);
        vm.expectEmit(address(registry));
        emit IReleaseRegistry.Applied(
            product, 3, m.hash(), publisher, guardian, 1 days, NEW_ROOT, 3, uint40(scheduledIn), time()
        );
        applyConfiguration(m);
    }

    function test_RefusesToApplyASecondEarly() public {
        ConfigureMessage memory m = aChange();
        configure(m);
        uint40 due = time() + DELAY;
        pass(DELAY - 1);
        expectError(abi.encodeWithSelector(IReleaseRegistry.DelayNotOver.selector, due, uint256(due - 1)));
        applyConfiguration(m);
    }

    function test_RefusesToApplyNothing() public {
        ConfigureMessage memory m = aChange();
        expectError(abi.encodeWithSelector(IReleaseRegistry.NothingPending.selector, product));
        applyConfiguration(m);
        m.product = 0;
        expectError(abi.encodeWithSelector(IReleaseRegistry.UnknownProduct.selector, bytes32(0)));
        applyConfiguration(m);
    }

    function test_RefusesToApplyTwice() public {
        ConfigureMessage memory m = aChange();
        configure(m);
        pass(DELAY);
        applyConfiguration(m);
        expectError(abi.encodeWithSelector(IReleaseRegistry.NothingPending.selector, product));
        applyConfiguration(m);
    }

    function testFuzz_AppliesOnlyWhatWasScheduled(ConfigureMessage memory other) public {
        ConfigureMessage memory m = aChange();
        configure(m);
        pass(DELAY);
        other.product = product;
        if (other.hash() == m.hash()) return;
        expectError(abi.encodeWithSelector(IReleaseRegistry.PendingMismatch.selector, other.hash(), m.hash()));
        applyConfiguration(other);
    }

    function test_ALowerDelayWaitsForTheOldOne() public {
        ConfigureMessage memory m = aConfigure();
        m.delay = 0;
        configure(m);
        ConfigureMessage memory again = aConfigure();
        again.delay = 0;
        configure(again);
        assertEqual(registry.product(product).pendingFrom, time() + DELAY, "pendingFrom");
    }

    function test_WithoutADelayItAppliesAtOnce() public {
        RegisterMessage memory r = aRegister();
        r.name = "hasty";
        r.delay = 0;
        product = register(r);
        ConfigureMessage memory m = aChange();
        configure(m);
        applyConfiguration(m);
        assertEqual(registry.product(product).trustRoot, NEW_ROOT, "trustRoot");
    }

    // ---- A new publisher -------------------------------------------------------------------------------------------

    function test_ANewPublisherHasToAccept() public {
        ConfigureMessage memory m = aConfigure();
        m.publisher = successor;
        configure(m);
        pass(DELAY);
        AcceptMessage memory a = anAccept();
        bytes memory acceptance = signed(SUCCESSOR_KEY, a.hash());
        bytes memory forged = signed(PUBLISHER_KEY, a.hash());
        expectRefused(successor);
        applyConfiguration(m, a.deadline, forged);
        expectRefused(successor);
        applyConfiguration(m, a.deadline, "");
        applyConfiguration(m, a.deadline, acceptance);
        assertEqual(registry.product(product).publisher, successor, "publisher");
    }

    function test_AnAcceptanceExpiresAndNamesItsEpoch() public {
        ConfigureMessage memory m = aConfigure();
        m.publisher = successor;
        configure(m);
        pass(DELAY);
        AcceptMessage memory a = anAccept();
        a.deadline = time() - 1;
        bytes memory late = signed(SUCCESSOR_KEY, a.hash());
        expectError(abi.encodeWithSelector(IReleaseRegistry.Expired.selector, a.deadline, uint256(time())));
        applyConfiguration(m, a.deadline, late);
        a = anAccept();
        a.epoch -= 1;
        bytes memory early = signed(SUCCESSOR_KEY, a.hash());
        expectRefused(successor);
        applyConfiguration(m, a.deadline, early);
    }

    function test_TheOldPublisherHasNoSayAfterwards() public {
        handOver();
        assertEqual(registry.productId(publisher, "lamp"), product, "the id stays");
        PublishMessage memory m = aPublish();
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        expectRefused(successor);
        publish(m, approval);
        publish(m, signed(SUCCESSOR_KEY, m.hash()));
    }

    // ---- Veto ------------------------------------------------------------------------------------------------------

    function test_GuardianVetoes() public {
        ConfigureMessage memory m = aChange();
        configure(m);
        VetoMessage memory v = aVeto();
        bytes memory approval = signed(GUARDIAN_KEY, v.hash());
        vm.expectEmit(address(registry));
        emit IReleaseRegistry.Vetoed(product, 3, m.hash(), guardian, uint40(vm.getBlockNumber()), time());
        veto(v, approval);

        Product memory state = registry.product(product);
        assertEqual(state.pending, 0, "pending");
        assertEqual(state.pendingFrom, 0, "pendingFrom");
        assertEqual(state.epoch, 2, "epoch");
        pass(DELAY);
        expectError(abi.encodeWithSelector(IReleaseRegistry.NothingPending.selector, product));
        applyConfiguration(m);
    }

    function test_AVetoedConfigureCannotBeScheduledAgain() public {
        ConfigureMessage memory m = aChange();
        configure(m);
        veto(aVeto());
        expectConfigureError(m, abi.encodeWithSelector(IReleaseRegistry.EpochMismatch.selector, uint32(1), uint32(2)));
    }

    function test_AGuardianCannotVetoItsOwnRemoval() public {
        ConfigureMessage memory m = aConfigure();
        m.guardian = address(0);
        configure(m);
        VetoMessage memory v = aVeto();
        bytes memory approval = signed(GUARDIAN_KEY, v.hash());
        expectError(abi.encodeWithSelector(IReleaseRegistry.NotVetoable.selector, v.pending));
        veto(v, approval);
        pass(DELAY);
        applyConfiguration(m);
        assertEqual(registry.product(product).guardian, address(0), "guardian");
    }

    function test_RefusesToVeto() public {
        VetoMessage memory v = aVeto();
        bytes memory approval = signed(GUARDIAN_KEY, v.hash());
        expectError(abi.encodeWithSelector(IReleaseRegistry.NothingPending.selector, product));
        veto(v, approval);

        configure(aChange());
        v = VetoMessage(product, keccak256("another"), soon());
        approval = signed(GUARDIAN_KEY, v.hash());
        bytes32 pending = registry.product(product).pending;
        expectError(abi.encodeWithSelector(IReleaseRegistry.PendingMismatch.selector, v.pending, pending));
        veto(v, approval);

        v = aVeto();
        approval = signed(PUBLISHER_KEY, v.hash());
        expectRefused(guardian);
        veto(v, approval);

        v.deadline = 0;
        approval = signed(GUARDIAN_KEY, v.hash());
        expectError(abi.encodeWithSelector(IReleaseRegistry.Expired.selector, uint64(0), uint256(time())));
        veto(v, approval);

        v.product = 0;
        expectError(abi.encodeWithSelector(IReleaseRegistry.UnknownProduct.selector, bytes32(0)));
        veto(v, approval);
    }

    function test_RefusesToVetoWithoutAGuardian() public {
        RegisterMessage memory r = aRegister();
        r.name = "unguarded";
        r.guardian = address(0);
        product = register(r);
        configure(aChange());
        VetoMessage memory v = aVeto();
        expectError(abi.encodeWithSelector(IReleaseRegistry.NoGuardian.selector, product));
        veto(v, new bytes(65));
    }
}
