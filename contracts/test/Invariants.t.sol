// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReleaseRegistry, Product, Release} from "../src/interfaces/IReleaseRegistry.sol";
import {Assertions} from "./support/Assertions.sol";
import {RegistryHandler} from "./support/RegistryHandler.sol";

/// @dev What holds after any sequence of steps. The handler asserts the rest around each step: no setter without its
/// delay, a guardian only stops, epoch and sequence only grow, forgeries are refused.
contract InvariantsTest is Assertions {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    RegistryHandler private handler;
    IReleaseRegistry private registry;

    function setUp() public {
        handler = new RegistryHandler();
        registry = handler.theRegistry();
    }

    /// @dev forge asks for these.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](12);
        selectors[0] = handler.stepWait.selector;
        selectors[1] = handler.stepRegister.selector;
        selectors[2] = handler.stepPublish.selector;
        selectors[3] = handler.stepPromote.selector;
        selectors[4] = handler.stepPublisherRevokes.selector;
        selectors[5] = handler.stepPublisherHalts.selector;
        selectors[6] = handler.stepGuardianHalts.selector;
        selectors[7] = handler.stepGuardianRevokes.selector;
        selectors[8] = handler.stepGuardianVetoes.selector;
        selectors[9] = handler.stepConfigure.selector;
        selectors[10] = handler.stepApply.selector;
        selectors[11] = handler.stepForge.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_HistoryIsReproducibleFromTheRawLogs() public view {
        for (uint256 i = 0; i < handler.productCount(); ++i) {
            bytes32 product = handler.products(i);
            assertEqual(registry.historyOf(product), handler.history(product), "history");
        }
        assertEqual(registry.registrations(), handler.registrations(), "registrations");
    }

    function invariant_SequenceCountsTheEvents() public view {
        for (uint256 i = 0; i < handler.productCount(); ++i) {
            Product memory product = registry.product(handler.products(i));
            assertEqual(product.sequence, handler.events(handler.products(i)), "sequence");
            assertEqual(product.lastBlock, handler.lastBlock(handler.products(i)), "lastBlock");
        }
    }

    function invariant_ACommitmentNeverChanges() public view {
        for (uint256 i = 0; i < handler.productCount(); ++i) {
            bytes32 product = handler.products(i);
            for (uint256 version = 0; version < 4; ++version) {
                Release memory release = registry.release(product, handler.versionAt(version));
                assertEqual(release.commitment, handler.commitments(product, version), "commitment");
                assertTrue((release.commitment == 0) == (release.status == 0), "status");
            }
        }
    }

    /// @dev Guards against invariants that hold because nothing happens.
    function test_TheHandlerReachesEveryEvent() public {
        handler.stepRegister(1);
        for (uint256 version = 0; version < 4; ++version) {
            handler.stepPublish(0, version);
        }
        handler.stepPromote(0, 0, 0);
        handler.stepGuardianHalts(0);
        handler.stepPromote(0, 0, 0);
        handler.stepPublisherHalts(0);
        handler.stepGuardianRevokes(0, 1);
        handler.stepPublisherRevokes(0, 2);
        handler.stepConfigure(0x1000, 0);
        handler.stepGuardianVetoes(0);
        handler.stepConfigure(0x1d00, 1 days);
        handler.stepApply(0);
        handler.stepWait(3 days);
        handler.stepApply(0);
        handler.stepForge(0, 0);
        assertEqual(handler.eventCount(IReleaseRegistry.Registered.selector), 2, "Registered");
        assertEqual(handler.eventCount(IReleaseRegistry.Published.selector), 4, "Published");
        assertEqual(handler.eventCount(IReleaseRegistry.Promoted.selector), 2, "Promoted");
        assertEqual(handler.eventCount(IReleaseRegistry.Halted.selector), 2, "Halted");
        assertEqual(handler.eventCount(IReleaseRegistry.Revoked.selector), 2, "Revoked");
        assertEqual(handler.eventCount(IReleaseRegistry.Scheduled.selector), 2, "Scheduled");
        assertEqual(handler.eventCount(IReleaseRegistry.Vetoed.selector), 1, "Vetoed");
        assertEqual(handler.eventCount(IReleaseRegistry.Applied.selector), 1, "Applied");
    }
}
