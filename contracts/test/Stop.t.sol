// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Head, IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";
import {HaltMessage, Messages, RegisterMessage, RevokeMessage} from "./support/Messages.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {vm} from "./support/Vm.sol";

/// @dev Revoke and Halt.
contract StopTest is RegistryTest {
    using Messages for *;

    function setUp() public override {
        super.setUp();
        publish(aPublish());
        promote(aPromote());
    }

    function expectRevokeError(RevokeMessage memory m, uint256 key, bytes memory errorData) private {
        bytes memory approval = signed(key, m.hash());
        address approver = vm.addr(key);
        expectError(errorData);
        revoke(m, approver, approval);
    }

    function expectHaltError(HaltMessage memory m, uint256 key, bytes memory errorData) private {
        bytes memory approval = signed(key, m.hash());
        address approver = vm.addr(key);
        expectError(errorData);
        halt(m, approver, approval);
    }

    // ---- Revoke ----------------------------------------------------------------------------------------------------

    function test_PublisherRevokesAtAnyTime() public {
        pass(365 days);
        bytes32 commitment = registry.release(product, "7.28.0").commitment;
        revoke(aRevoke(), PUBLISHER_KEY);
        assertEqual(registry.release(product, "7.28.0").status, 2, "status");
        assertEqual(registry.release(product, "7.28.0").commitment, commitment, "commitment");
        assertEqual(registry.head(product, "stable").version, "7.28.0", "the head stays");
    }

    function test_EmitsRevokedWithItsApprover() public {
        RevokeMessage memory m = aRevoke();
        bytes memory approval = signed(GUARDIAN_KEY, m.hash());
        vm.expectEmit(address(registry));
        emit IReleaseRegistry.Revoked(product, 4, "7.28.0", guardian, uint40(vm.getBlockNumber()), time());
        revoke(m, guardian, approval);
    }

    function test_GuardianRevokesBeforeTheReleaseIsInstallable() public {
        pass(DELAY - 1);
        revoke(aRevoke(), GUARDIAN_KEY);
        assertEqual(registry.release(product, "7.28.0").status, 2, "status");
    }

    function test_RefusesTheGuardianOnceInstallable() public {
        uint40 installableFrom = registry.release(product, "7.28.0").installableFrom;
        vm.warp(installableFrom);
        expectRevokeError(
            aRevoke(),
            GUARDIAN_KEY,
            abi.encodeWithSelector(
                IReleaseRegistry.VetoWindowClosed.selector, installableFrom, uint256(installableFrom)
            )
        );
    }

    function test_RefusesToRevokeTwiceOrNothing() public {
        revoke(aRevoke(), PUBLISHER_KEY);
        expectRevokeError(
            aRevoke(),
            PUBLISHER_KEY,
            abi.encodeWithSelector(IReleaseRegistry.ReleaseNotActive.selector, product, bytes32("7.28.0"), uint8(2))
        );
        RevokeMessage memory m = aRevoke();
        m.version = "9.9.9";
        expectRevokeError(
            m,
            PUBLISHER_KEY,
            abi.encodeWithSelector(IReleaseRegistry.ReleaseNotActive.selector, product, bytes32("9.9.9"), uint8(0))
        );
    }

    function test_RefusesToRevokeForAStranger() public {
        expectRevokeError(
            aRevoke(), STRANGER_KEY, abi.encodeWithSelector(IReleaseRegistry.NotApprover.selector, stranger)
        );
    }

    function test_RefusesToRevokeWithAnothersSignature() public {
        RevokeMessage memory m = aRevoke();
        bytes memory approval = signed(STRANGER_KEY, m.hash());
        expectRefused(publisher);
        revoke(m, publisher, approval);
        expectRefused(guardian);
        revoke(m, guardian, approval);
    }

    function test_RefusesToRevokeAnUnknownProductOrAnInvalidVersion() public {
        RevokeMessage memory m = aRevoke();
        m.product = 0;
        expectRevokeError(
            m, PUBLISHER_KEY, abi.encodeWithSelector(IReleaseRegistry.UnknownProduct.selector, bytes32(0))
        );
        m = aRevoke();
        m.version = "";
        expectRevokeError(m, PUBLISHER_KEY, abi.encodeWithSelector(IReleaseRegistry.InvalidVersion.selector, ""));
    }

    function test_RefusesAnExpiredRevoke() public {
        RevokeMessage memory m = aRevoke();
        m.deadline = 0;
        expectRevokeError(
            m, PUBLISHER_KEY, abi.encodeWithSelector(IReleaseRegistry.Expired.selector, uint64(0), uint256(time()))
        );
    }

    // ---- Halt ------------------------------------------------------------------------------------------------------

    function test_HaltStopsTheChannelAndRaisesTheCounter() public {
        halt(aHalt(), PUBLISHER_KEY);
        Head memory head = registry.head(product, "stable");
        assertTrue(head.halted, "halted");
        assertEqual(head.halts, 1, "halts");
        assertEqual(head.counter, 2, "counter");
        assertEqual(head.version, "7.28.0", "version");
    }

    function test_EmitsHaltedWithItsApprover() public {
        HaltMessage memory m = aHalt();
        bytes memory approval = signed(GUARDIAN_KEY, m.hash());
        vm.expectEmit(address(registry));
        emit IReleaseRegistry.Halted(product, 4, "stable", guardian, 1, 2, uint40(vm.getBlockNumber()), time());
        halt(m, guardian, approval);
    }

    function test_RefusesToHaltAnEmptyChannel() public {
        HaltMessage memory m = aHalt();
        m.channel = "beta";
        expectHaltError(
            m,
            GUARDIAN_KEY,
            abi.encodeWithSelector(IReleaseRegistry.ChannelEmpty.selector, product, bytes32("beta"))
        );
    }

    function test_RefusesToHaltTwice() public {
        halt(aHalt(), GUARDIAN_KEY);
        expectHaltError(
            aHalt(),
            GUARDIAN_KEY,
            abi.encodeWithSelector(IReleaseRegistry.AlreadyHalted.selector, product, bytes32("stable"))
        );
    }

    function test_RefusesAnotherNumberOfHalts() public {
        HaltMessage memory m = aHalt();
        m.halts = 0;
        expectHaltError(
            m, GUARDIAN_KEY, abi.encodeWithSelector(IReleaseRegistry.HaltsMismatch.selector, uint32(0), uint32(1))
        );
        m.halts = 2;
        expectHaltError(
            m, GUARDIAN_KEY, abi.encodeWithSelector(IReleaseRegistry.HaltsMismatch.selector, uint32(2), uint32(1))
        );
    }

    function test_RefusesToHaltForAStranger() public {
        expectHaltError(
            aHalt(), STRANGER_KEY, abi.encodeWithSelector(IReleaseRegistry.NotApprover.selector, stranger)
        );
    }

    function test_RefusesToHaltWithAnothersSignature() public {
        HaltMessage memory m = aHalt();
        bytes memory approval = signed(STRANGER_KEY, m.hash());
        expectRefused(guardian);
        halt(m, guardian, approval);
    }

    function test_RefusesToHaltAnUnknownProductOrAnInvalidChannel() public {
        HaltMessage memory m = aHalt();
        m.product = 0;
        expectHaltError(
            m, GUARDIAN_KEY, abi.encodeWithSelector(IReleaseRegistry.UnknownProduct.selector, bytes32(0))
        );
        m = aHalt();
        m.channel = "Stable";
        expectHaltError(m, GUARDIAN_KEY, abi.encodeWithSelector(IReleaseRegistry.InvalidName.selector, "Stable"));
    }

    function test_RefusesAnExpiredHalt() public {
        HaltMessage memory m = aHalt();
        m.deadline = 0;
        expectHaltError(
            m, GUARDIAN_KEY, abi.encodeWithSelector(IReleaseRegistry.Expired.selector, uint64(0), uint256(time()))
        );
    }

    // ---- Nobody as guardian ----------------------------------------------------------------------------------------

    function test_TheZeroAddressIsNobody() public {
        RegisterMessage memory r = aRegister();
        r.name = "unguarded";
        r.guardian = address(0);
        product = register(r);
        publish(aPublish());
        promote(aPromote());
        RevokeMessage memory m = aRevoke();
        HaltMessage memory h = aHalt();
        expectError(abi.encodeWithSelector(IReleaseRegistry.NotApprover.selector, address(0)));
        revoke(m, address(0), new bytes(65));
        expectError(abi.encodeWithSelector(IReleaseRegistry.NotApprover.selector, address(0)));
        halt(h, address(0), new bytes(65));
    }
}
