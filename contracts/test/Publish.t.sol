// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReleaseRegistry, Product, Release} from "../src/interfaces/IReleaseRegistry.sol";
import {Messages, PublishMessage} from "./support/Messages.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {vm} from "./support/Vm.sol";

contract PublishTest is RegistryTest {
    using Messages for *;

    function expectPublishError(PublishMessage memory m, bytes memory errorData) private {
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        expectError(errorData);
        publish(m, approval);
    }

    function test_StoresTheRelease() public {
        PublishMessage memory m = aPublish();
        m.rollbackIndex = 1;
        publish(m);

        Release memory stored = registry.release(product, "7.28.0");
        assertEqual(stored.commitment, keccak256(abi.encode(IMAGE, ATTESTATION)), "commitment");
        assertEqual(stored.status, 1, "status");
        assertEqual(stored.rollbackIndex, 1, "rollbackIndex");
        assertEqual(stored.publishedAt, time(), "publishedAt");
        assertEqual(stored.installableFrom, time() + DELAY, "installableFrom");
        assertEqual(stored.sequence, 2, "sequence");
        Product memory state = registry.product(product);
        assertEqual(state.sequence, 2, "product sequence");
        assertEqual(state.topIndex, 1, "topIndex");
    }

    function test_EmitsPublished() public {
        uint256 registeredIn = vm.getBlockNumber();
        pass(1 days);
        PublishMessage memory m = aPublish();
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        vm.expectEmit(address(registry));
        emit IReleaseRegistry.Published(
            product, 2, "7.28.0", IMAGE, ATTESTATION, 0, time() + DELAY, uint40(registeredIn), time()
        );
        publish(m, approval);
    }

    function test_IsInstallableAfterTheDelayAndUntilRevoked() public {
        assertTrue(!registry.isInstallable(product, "7.28.0"), "before it exists");
        publish(aPublish());
        pass(DELAY - 1);
        assertTrue(!registry.isInstallable(product, "7.28.0"), "a second early");
        pass(1);
        assertTrue(registry.isInstallable(product, "7.28.0"), "after the delay");
        revoke(aRevoke(), PUBLISHER_KEY);
        assertTrue(!registry.isInstallable(product, "7.28.0"), "revoked");
    }

    function test_TopIndexNeverFalls() public {
        PublishMessage memory m = aPublish("1.0.0");
        m.rollbackIndex = 1;
        publish(m);
        publish(aPublish("0.9.0"));
        assertEqual(registry.product(product).topIndex, 1, "topIndex");
    }

    function test_RefusesAFastForwardOfTheRollbackIndex() public {
        PublishMessage memory m = aPublish();
        m.rollbackIndex = 2;
        expectPublishError(m, abi.encodeWithSelector(IReleaseRegistry.RollbackIndexTooHigh.selector, uint32(2), 1));
        m.rollbackIndex = type(uint32).max;
        expectPublishError(
            m, abi.encodeWithSelector(IReleaseRegistry.RollbackIndexTooHigh.selector, type(uint32).max, 1)
        );
    }

    function test_RefusesARecordedVersion() public {
        publish(aPublish());
        PublishMessage memory m = aPublish();
        expectPublishError(
            m, abi.encodeWithSelector(IReleaseRegistry.VersionTaken.selector, product, bytes32("7.28.0"))
        );
        revoke(aRevoke(), PUBLISHER_KEY);
        expectPublishError(
            m, abi.encodeWithSelector(IReleaseRegistry.VersionTaken.selector, product, bytes32("7.28.0"))
        );
    }

    function test_RefusesAMissingDigest() public {
        PublishMessage memory m = aPublish();
        m.image = 0;
        expectPublishError(m, abi.encodeWithSelector(IReleaseRegistry.MissingDigest.selector));
        m = aPublish();
        m.attestation = 0;
        expectPublishError(m, abi.encodeWithSelector(IReleaseRegistry.MissingDigest.selector));
    }

    function test_RefusesAnotherEpoch() public {
        PublishMessage memory m = aPublish();
        m.epoch = 2;
        expectPublishError(m, abi.encodeWithSelector(IReleaseRegistry.EpochMismatch.selector, uint32(2), uint32(1)));
    }

    function test_RefusesAnUnknownProduct() public {
        PublishMessage memory m = aPublish();
        m.product = keccak256("unknown");
        expectPublishError(m, abi.encodeWithSelector(IReleaseRegistry.UnknownProduct.selector, m.product));
    }

    function test_RefusesAnInvalidVersion() public {
        PublishMessage memory m = aPublish("7.28");
        expectPublishError(m, abi.encodeWithSelector(IReleaseRegistry.InvalidVersion.selector, "7.28"));
    }

    function test_RefusesTheGuardian() public {
        PublishMessage memory m = aPublish();
        bytes memory approval = signed(GUARDIAN_KEY, m.hash());
        expectRefused(publisher);
        publish(m, approval);
    }

    function test_AcceptsAnApprovalInItsLastSecond() public {
        PublishMessage memory m = aPublish();
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        vm.warp(m.deadline);
        publish(m, approval);
    }

    function testFuzz_RefusesAnExpiredApproval(uint64 deadline, uint256 late) public {
        PublishMessage memory m = aPublish();
        m.deadline = uint64(bounded(deadline, 0, 4_000_000_000));
        uint256 moment = uint256(m.deadline) + bounded(late, 1, 4_000_000_000);
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        vm.warp(moment);
        expectError(abi.encodeWithSelector(IReleaseRegistry.Expired.selector, m.deadline, moment));
        publish(m, approval);
    }

    /// @dev Whatever was approved, nothing else can be recorded with that approval.
    function testFuzz_EveryFieldIsSigned(PublishMessage memory other) public {
        PublishMessage memory m = aPublish();
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        other.product = product;
        other.epoch = m.epoch;
        other.rollbackIndex %= 2;
        other.deadline = uint64(bounded(other.deadline, time(), type(uint64).max));
        if (other.image == 0) other.image = IMAGE;
        if (other.attestation == 0) other.attestation = ATTESTATION;
        other.version = "7.28.0";
        if (other.hash() == m.hash()) return;
        expectRefused(publisher);
        publish(other, approval);

        // One field at a time.
        for (uint256 field = 0; field < 4; ++field) {
            other = aPublish();
            if (field == 0) other.image = keccak256("another image");
            if (field == 1) other.attestation = keccak256("another attestation");
            if (field == 2) other.version = "7.28.1";
            if (field == 3) other.rollbackIndex = 1;
            expectRefused(publisher);
            publish(other, approval);
        }
    }
}
