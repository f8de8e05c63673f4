// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AnchorHandler} from "./support/AnchorHandler.sol";
import {Assertions} from "./support/Assertions.sol";

/// @dev What holds after any sequence of steps.
contract AnchorInvariantsTest is Assertions {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    AnchorHandler private handler;

    function setUp() public {
        handler = new AnchorHandler();
    }

    /// @dev forge asks for these.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](4);
        selectors[0] = handler.stepAnchor.selector;
        selectors[1] = handler.stepRevoke.selector;
        selectors[2] = handler.stepHandOver.selector;
        selectors[3] = handler.stepForge.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev A revoked device never becomes accepted again, and every other one stays accepted, whoever publishes now.
    function invariant_ADeviceIsAcceptedUntilItIsRevoked() public view {
        for (uint256 batch = 0; batch < handler.batchCount(); ++batch) {
            for (uint256 device = 0; device < handler.DEVICES(); ++device) {
                bool accepted = handler.isAcceptedBy(batch, device);
                if (handler.isInBatch(batch, device)) assertTrue(accepted != handler.revoked(device), "in the batch");
                // With no proof at all, the proof of a batch of one, another batch of one may name it.
                else assertTrue(!accepted || handler.isInSomeBatch(device), "in none");
            }
        }
    }

    function invariant_OnlyWhatThePublisherApprovedIsAnchored() public view {
        for (uint256 batch = 0; batch < handler.batchCount(); ++batch) {
            assertTrue(handler.approved(handler.rootOf(batch)), "approved");
            assertTrue(handler.isAnchored(handler.rootOf(batch)), "anchored");
        }
    }

    /// @dev Guards against invariants that hold because nothing happens.
    function test_TheHandlerReachesEveryStep() public {
        handler.stepAnchor(0, 5);
        handler.stepRevoke(2);
        handler.stepHandOver();
        handler.stepAnchor(2, 3);
        handler.stepForge(1, 1);
        assertEqual(handler.batchCount(), 2, "batches");
        assertEqual(handler.revocations(), 1, "revocations");
        assertEqual(handler.forgeries(), 1, "forgeries");
        assertEqual(handler.handOvers(), 1, "handOvers");
        invariant_ADeviceIsAcceptedUntilItIsRevoked();
        invariant_OnlyWhatThePublisherApprovedIsAnchored();
    }
}
