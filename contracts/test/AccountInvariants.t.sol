// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountHandler} from "./support/AccountHandler.sol";
import {Assertions} from "./support/Assertions.sol";

/// @dev What holds of an account after any sequence of steps. The handler asserts around each step that nothing is
/// approved without k different current signers, and that nothing good is refused.
contract AccountInvariantsTest is Assertions {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    AccountHandler private handler;

    function setUp() public {
        handler = new AccountHandler();
    }

    /// @dev forge asks for these.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](9);
        selectors[0] = handler.stepWait.selector;
        selectors[1] = handler.stepPublish.selector;
        selectors[2] = handler.stepKeep.selector;
        selectors[3] = handler.stepSubmitKept.selector;
        selectors[4] = handler.stepSetSigners.selector;
        selectors[5] = handler.stepSetRecovery.selector;
        selectors[6] = handler.stepScheduleRecovery.selector;
        selectors[7] = handler.stepRecover.selector;
        selectors[8] = handler.stepCancelRecovery.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_TheThresholdIsReachable() public view {
        assertTrue(handler.thresholdIsReachable(), "threshold");
    }

    function invariant_TheSignersAreThoseWhoWereApproved() public view {
        assertTrue(handler.isAsExpected(), "signers");
    }

    function invariant_NobodyIsLockedOut() public view {
        assertTrue(handler.canPublish(), "current signers cannot publish");
    }

    function invariant_OnlyApprovedReleasesArePublished() public view {
        assertEqual(handler.publishedVersions(), handler.versions(), "releases");
    }
}
