// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Head, IReleaseRegistry, Release} from "../src/interfaces/IReleaseRegistry.sol";
import {
    ConfigureMessage,
    HaltMessage,
    Messages,
    PromoteMessage,
    PublishMessage,
    RegisterMessage,
    RevokeMessage
} from "./support/Messages.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {vm} from "./support/Vm.sol";

/// @dev The rows of the list of attacks that the contract answers for, by their numbers.
contract AttacksTest is RegistryTest {
    using Messages for *;

    // ---- A12: empty signature sets and keys that nobody holds ------------------------------------------------------

    function test_A12_AnEmptyApprovalIsNone() public {
        PublishMessage memory m = aPublish();
        expectRefused(publisher);
        publish(m, "");
        expectRefused(publisher);
        publish(m, new bytes(65));
        expectRefused(publisher);
        publish(m, abi.encodePacked(bytes32(0), bytes32(0), uint8(27)));
    }

    /// @dev ecrecover answers zero for nonsense, and an unknown product's publisher is zero.
    function test_A12_TheZeroAddressApprovesNothing() public {
        RegisterMessage memory r = aRegister();
        r.publisher = address(0);
        expectError(abi.encodeWithSelector(IReleaseRegistry.MissingPublisher.selector));
        register(r, new bytes(65));

        PublishMessage memory m = aPublish();
        m.product = registry.productId(address(0), "lamp");
        m.epoch = 0;
        expectError(abi.encodeWithSelector(IReleaseRegistry.UnknownProduct.selector, m.product));
        publish(m, new bytes(65));
    }

    // ---- A14: replay elsewhere -------------------------------------------------------------------------------------

    function test_A14_NotOnAnotherChain() public {
        PublishMessage memory m = aPublish();
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        vm.chainId(block.chainid + 1);
        expectRefused(publisher);
        publish(m, approval);
    }

    function test_A14_NotInAnotherRegistry() public {
        RegisterMessage memory m = aRegister();
        m.name = "lamp-2";
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        registry = deployRegistry();
        expectRefused(publisher);
        register(m, approval);
    }

    function test_A14_NotForAnotherProduct() public {
        RegisterMessage memory r = aRegister();
        r.name = "lamp-2";
        bytes32 other = register(r);
        PublishMessage memory m = aPublish();
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        m.product = other;
        expectRefused(publisher);
        publish(m, approval);
    }

    function test_A14_NotForAnotherChannelAndNotTwice() public {
        publish(aPublish());
        PromoteMessage memory m = aPromote();
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        m.channel = "beta";
        expectRefused(publisher);
        promote(m, approval);
        m.channel = "stable";
        promote(m, approval);
        expectError(abi.encodeWithSelector(IReleaseRegistry.CounterMismatch.selector, uint32(1), uint32(2)));
        promote(m, approval);
    }

    /// @dev Halt and Revoke are both approved by either account: one never serves as the other.
    function test_A14_NotAsAnotherType() public {
        publish(aPublish());
        promote(aPromote());
        HaltMessage memory h = aHalt();
        bytes memory approval = signed(GUARDIAN_KEY, h.hash());
        RevokeMessage memory r = aRevoke();
        r.deadline = h.deadline;
        expectRefused(guardian);
        revoke(r, guardian, approval);
    }

    // ---- A15: malleability -----------------------------------------------------------------------------------------

    /// @dev Another encoding of a signature is refused, and even a fresh signature of the same fields changes nothing
    /// a second time: what is done is keyed by what was approved, never by signature bytes.
    function test_A15_NoSecondAcceptance() public {
        PublishMessage memory m = aPublish();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PUBLISHER_KEY, digestOf(m.hash()));
        publish(m, abi.encodePacked(r, s, v));
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes memory flipped = abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        RevokeMessage memory revocation = aRevoke();
        bytes memory approval = signed(PUBLISHER_KEY, revocation.hash());
        expectError(abi.encodeWithSelector(IReleaseRegistry.VersionTaken.selector, product, bytes32("7.28.0")));
        publish(m, flipped);
        revoke(revocation, publisher, approval);
        expectError(
            abi.encodeWithSelector(IReleaseRegistry.ReleaseNotActive.selector, product, bytes32("7.28.0"), uint8(2))
        );
        revoke(revocation, publisher, approval);
    }

    // ---- A16: front-running and squatting --------------------------------------------------------------------------

    function test_A16_ANameCannotBeSquatted() public {
        RegisterMessage memory theirs = aRegister();
        theirs.publisher = stranger;
        theirs.name = "lamp-2";
        bytes32 squatted = register(theirs, signed(STRANGER_KEY, theirs.hash()));
        RegisterMessage memory ours = aRegister();
        ours.name = "lamp-2";
        assertTrue(register(ours) != squatted, "an id of its own");
    }

    function test_A16_ACopiedTransactionChangesNothing() public {
        PublishMessage memory m = aPublish();
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        vm.prank(stranger);
        publish(m, approval);
        Release memory stored = registry.release(product, "7.28.0");
        assertEqual(stored.commitment, keccak256(abi.encode(IMAGE, ATTESTATION)), "commitment");
        assertEqual(registry.product(product).publisher, publisher, "publisher");
    }

    function test_A16_AStrangerCannotTakeAVersion() public {
        PublishMessage memory m = aPublish();
        m.image = keccak256("malware");
        bytes memory approval = signed(STRANGER_KEY, m.hash());
        vm.prank(stranger);
        expectRefused(publisher);
        publish(m, approval);
        publish(aPublish());
    }

    // ---- A17: equivocation -----------------------------------------------------------------------------------------

    function test_A17_AVersionIsRecordedOnceForever() public {
        publish(aPublish());
        bytes32 commitment = registry.release(product, "7.28.0").commitment;
        PublishMessage memory m = aPublish();
        m.image = keccak256("another image");
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        expectError(abi.encodeWithSelector(IReleaseRegistry.VersionTaken.selector, product, bytes32("7.28.0")));
        publish(m, approval);
        revoke(aRevoke(), PUBLISHER_KEY);
        expectError(abi.encodeWithSelector(IReleaseRegistry.VersionTaken.selector, product, bytes32("7.28.0")));
        publish(m, approval);
        assertEqual(registry.release(product, "7.28.0").commitment, commitment, "commitment");
    }

    // ---- A42: stolen publisher keys --------------------------------------------------------------------------------

    function test_A42_StolenKeysWaitForTheDelayAndAreVetoed() public {
        PublishMessage memory open = aPublish("7.27.0");
        bytes memory openApproval = signed(PUBLISHER_KEY, open.hash());

        ConfigureMessage memory m = aConfigure();
        m.delay = 0;
        m.guardian = stranger;
        configure(m);
        expectError(
            abi.encodeWithSelector(IReleaseRegistry.DelayNotOver.selector, time() + DELAY, uint256(time()))
        );
        applyConfiguration(m);

        // What was waiting for approvals dies with the epoch.
        expectError(abi.encodeWithSelector(IReleaseRegistry.EpochMismatch.selector, uint32(1), uint32(2)));
        publish(open, openApproval);

        // A release that the thief publishes and promotes at once still waits, and the guardian stops it.
        publish(aPublish());
        promote(aPromote());
        assertEqual(registry.head(product, "stable").start, time() + DELAY, "start");
        assertTrue(!registry.isInstallable(product, "7.28.0"), "installable");
        revoke(aRevoke(), GUARDIAN_KEY);
        veto(aVeto());
        pass(DELAY);
        assertTrue(!registry.isInstallable(product, "7.28.0"), "installable after the delay");
        expectError(abi.encodeWithSelector(IReleaseRegistry.NothingPending.selector, product));
        applyConfiguration(m);
        assertEqual(registry.product(product).guardian, guardian, "guardian");
        assertEqual(registry.product(product).delay, DELAY, "delay");
    }

    /// @dev Hiding the taking of delay and root behind a change of guardian does not make it immune.
    function test_A42_AChangeOfGuardianWithAnythingElseIsVetoable() public {
        ConfigureMessage memory m = aConfigure();
        m.guardian = stranger;
        m.trustRoot = keccak256("the thief's root");
        configure(m);
        veto(aVeto());
        assertEqual(registry.product(product).pending, 0, "pending");
    }

    function test_A42_OpenApprovalsDieWhenApplied() public {
        ConfigureMessage memory m = aConfigure();
        m.trustRoot = keccak256("new trust root");
        configure(m);
        PublishMessage memory open = aPublish();
        open.deadline = time() + 30 days;
        bytes memory approval = signed(PUBLISHER_KEY, open.hash());
        pass(DELAY);
        applyConfiguration(m);
        expectError(abi.encodeWithSelector(IReleaseRegistry.EpochMismatch.selector, uint32(2), uint32(3)));
        publish(open, approval);
    }

    // ---- A43: halts ------------------------------------------------------------------------------------------------

    function test_A43_AHaltIsNotReplayed() public {
        publish(aPublish());
        promote(aPromote());
        HaltMessage memory m = aHalt();
        bytes memory approval = signed(GUARDIAN_KEY, m.hash());
        halt(m, guardian, approval);
        promote(aPromote());
        expectError(abi.encodeWithSelector(IReleaseRegistry.HaltsMismatch.selector, uint32(1), uint32(2)));
        halt(m, guardian, approval);
    }

    function test_A43_PromotesCannotOutrunAHalt() public {
        publish(aPublish());
        promote(aPromote());
        HaltMessage memory m = aHalt();
        bytes memory approval = signed(GUARDIAN_KEY, m.hash());
        for (uint256 i = 0; i < 5; ++i) {
            promote(aPromote());
        }
        halt(m, guardian, approval);
        assertTrue(registry.head(product, "stable").halted, "halted");
    }

    function test_A43_APromoteSignedBeforeTheHaltDoesNotUndoIt() public {
        publish(aPublish());
        pass(DELAY);
        promote(aPromote());
        PromoteMessage memory open = aPromote();
        bytes memory approval = signed(PUBLISHER_KEY, open.hash());
        halt(aHalt(), GUARDIAN_KEY);
        expectError(abi.encodeWithSelector(IReleaseRegistry.CounterMismatch.selector, uint32(2), uint32(3)));
        promote(open, approval);
        assertTrue(registry.head(product, "stable").halted, "halted");

        // Only a later one lifts it, and devices get the delay to notice.
        promote(aPromote());
        Head memory head = registry.head(product, "stable");
        assertTrue(!head.halted, "lifted");
        assertEqual(head.start, time() + DELAY, "start");
    }

    // ---- A44: rollouts ---------------------------------------------------------------------------------------------

    /// @dev A start in the past would put the whole fleet into the rollout at once.
    function test_A44_ARolloutCannotBeHurried() public {
        publish(aPublish());
        PromoteMessage memory m = aPromote();
        m.start = 1;
        promote(m);
        assertEqual(registry.head(product, "stable").start, time() + DELAY, "the veto window");
        pass(DELAY + 1 days);
        m = aPromote();
        m.start = time() - 1 days;
        promote(m);
        assertEqual(registry.head(product, "stable").start, time(), "now");
    }

    /// @dev The bucket of a device hangs on the release's sequence, which promoting again does not change.
    function test_A44_PromotingAgainKeepsTheCohorts() public {
        publish(aPublish());
        uint48 sequence = registry.release(product, "7.28.0").sequence;
        promote(aPromote());
        promote(aPromote());
        assertEqual(registry.release(product, "7.28.0").sequence, sequence, "sequence");
    }
}
