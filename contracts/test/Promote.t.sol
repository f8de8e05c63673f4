// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Head, IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";
import {Messages, PromoteMessage} from "./support/Messages.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {vm} from "./support/Vm.sol";

contract PromoteTest is RegistryTest {
    using Messages for *;

    function setUp() public override {
        super.setUp();
        publish(aPublish());
    }

    function expectPromoteError(PromoteMessage memory m, bytes memory errorData) private {
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        expectError(errorData);
        promote(m, approval);
    }

    function test_StoresTheHead() public {
        pass(DELAY);
        promote(aPromote());
        Head memory head = registry.head(product, "stable");
        assertEqual(head.version, "7.28.0", "version");
        assertEqual(head.counter, 1, "counter");
        assertEqual(head.start, time(), "start");
        assertEqual(head.duration, 7 days, "duration");
        assertEqual(head.firstShare, 500, "firstShare");
        assertTrue(!head.halted, "halted");
        assertEqual(head.halts, 0, "halts");
        assertEqual(registry.head(product, "beta").version, 0, "the other channel");
    }

    function test_EmitsPromoted() public {
        uint256 publishedIn = vm.getBlockNumber();
        pass(DELAY);
        PromoteMessage memory m = aPromote();
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        vm.expectEmit(address(registry));
        emit IReleaseRegistry.Promoted(
            product, 3, "stable", "7.28.0", 1, time(), 7 days, 500, uint40(publishedIn), time()
        );
        promote(m, approval);
    }

    function test_StartIsNotBeforeTheReleaseIsInstallable() public {
        uint40 installableFrom = time() + DELAY;
        promote(aPromote());
        assertEqual(registry.head(product, "stable").start, installableFrom, "start");
    }

    function test_StartIsNotInThePast() public {
        pass(DELAY);
        PromoteMessage memory m = aPromote();
        m.start = 0;
        promote(m);
        assertEqual(registry.head(product, "stable").start, time(), "start");
    }

    function test_StartMayBeLater() public {
        PromoteMessage memory m = aPromote();
        m.start = time() + 30 days;
        promote(m);
        assertEqual(registry.head(product, "stable").start, m.start, "start");
    }

    function test_LiftsAHaltWithTheDelay() public {
        pass(DELAY);
        promote(aPromote());
        halt(aHalt(), GUARDIAN_KEY);
        promote(aPromote());
        Head memory head = registry.head(product, "stable");
        assertTrue(!head.halted, "halted");
        assertEqual(head.start, time() + DELAY, "start");
        assertEqual(head.counter, 3, "counter");
        assertEqual(head.halts, 1, "halts");
    }

    function testFuzz_EffectiveStart(uint40 start, uint32 sincePublished, bool halted) public {
        promote(aPromote());
        if (halted) halt(aHalt(), GUARDIAN_KEY);
        uint40 installableFrom = registry.release(product, "7.28.0").installableFrom;
        pass(sincePublished);
        PromoteMessage memory m = aPromote();
        m.start = start;
        promote(m);

        uint40 effective = registry.head(product, "stable").start;
        assertTrue(effective >= start, "signed start");
        assertTrue(effective >= installableFrom, "installable");
        assertTrue(effective >= time() + (halted ? DELAY : 0), "now");
        assertTrue(
            effective == start || effective == installableFrom || effective == time() + (halted ? DELAY : 0),
            "no later than needed"
        );
    }

    function test_RefusesAnotherCounter() public {
        PromoteMessage memory m = aPromote();
        m.counter = 2;
        expectPromoteError(m, abi.encodeWithSelector(IReleaseRegistry.CounterMismatch.selector, uint32(2), uint32(1)));
        m.counter = 0;
        expectPromoteError(m, abi.encodeWithSelector(IReleaseRegistry.CounterMismatch.selector, uint32(0), uint32(1)));
    }

    function test_RefusesAReleaseThatDoesNotExist() public {
        PromoteMessage memory m = aPromote();
        m.version = "9.9.9";
        expectPromoteError(
            m, abi.encodeWithSelector(IReleaseRegistry.ReleaseNotActive.selector, product, bytes32("9.9.9"), uint8(0))
        );
    }

    function test_RefusesARevokedRelease() public {
        revoke(aRevoke(), PUBLISHER_KEY);
        expectPromoteError(
            aPromote(),
            abi.encodeWithSelector(IReleaseRegistry.ReleaseNotActive.selector, product, bytes32("7.28.0"), uint8(2))
        );
    }

    function test_RefusesMoreThanTheWhole() public {
        PromoteMessage memory m = aPromote();
        m.firstShare = 10_001;
        expectPromoteError(
            m, abi.encodeWithSelector(IReleaseRegistry.ShareTooLarge.selector, uint16(10_001), uint16(10_000))
        );
        m.firstShare = 10_000;
        promote(m);
    }

    function test_RefusesAnotherEpoch() public {
        PromoteMessage memory m = aPromote();
        m.epoch = 0;
        expectPromoteError(m, abi.encodeWithSelector(IReleaseRegistry.EpochMismatch.selector, uint32(0), uint32(1)));
    }

    function test_RefusesAnInvalidChannelOrVersion() public {
        PromoteMessage memory m = aPromote();
        m.channel = "";
        expectPromoteError(m, abi.encodeWithSelector(IReleaseRegistry.InvalidName.selector, ""));
        m = aPromote();
        m.version = "v7.28.0";
        expectPromoteError(m, abi.encodeWithSelector(IReleaseRegistry.InvalidVersion.selector, "v7.28.0"));
    }

    function test_RefusesAnUnknownProduct() public {
        PromoteMessage memory m = aPromote();
        m.product = 0;
        expectPromoteError(m, abi.encodeWithSelector(IReleaseRegistry.UnknownProduct.selector, bytes32(0)));
    }

    function test_RefusesTheGuardian() public {
        PromoteMessage memory m = aPromote();
        bytes memory approval = signed(GUARDIAN_KEY, m.hash());
        expectRefused(publisher);
        promote(m, approval);
    }

    function test_RefusesAnExpiredApproval() public {
        PromoteMessage memory m = aPromote();
        m.deadline = time() - 1;
        expectPromoteError(m, abi.encodeWithSelector(IReleaseRegistry.Expired.selector, m.deadline, uint256(time())));
    }
}
