// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDeviceAnchor} from "../src/interfaces/IDeviceAnchor.sol";
import {AnchorDevicesMessage, AnchorMessages, AnchorTest, RevokeDeviceMessage} from "./support/AnchorTest.sol";

/// @dev What anchoring costs, whatever the number of devices, and a revocation; as in GasTest.
contract AnchorGasTest is AnchorTest {
    using AnchorMessages for *;

    uint256 private constant ANCHOR_LIMIT = 52_000;
    uint256 private constant REVOKE_LIMIT = 52_000;

    bytes private anchoring;
    bytes private revoking;

    function setUp() public override {
        super.setUp();
        AnchorDevicesMessage memory m = anAnchor(keccak256("root"), 100_000);
        anchoring = abi.encodeCall(
            IDeviceAnchor.anchorDevices,
            (m.registry, m.product, m.root, m.count, m.epoch, m.deadline, signedForAnchor(PUBLISHER_KEY, m.hash()))
        );
        RevokeDeviceMessage memory r = aDeviceRevocation(leafOf(1));
        revoking = abi.encodeCall(
            IDeviceAnchor.revokeDevice,
            (r.registry, r.product, r.leaf, r.deadline, signedForAnchor(PUBLISHER_KEY, r.hash()))
        );
    }

    function gasOf(bytes memory data) private returns (uint256) {
        address target = address(anchor);
        // A transaction finds its target warm.
        assertTrue(target.code.length > 0, "deployed");
        uint256 before = gasleft();
        (bool success,) = target.call(data);
        uint256 used = before - gasleft();
        assertTrue(success, "accepted");
        return used;
    }

    function test_AnchoringAHundredThousandStaysWithinItsLimit() public {
        assertAtMost(gasOf(anchoring), ANCHOR_LIMIT, "gas of a batch");
    }

    function test_ARevocationStaysWithinItsLimit() public {
        assertAtMost(gasOf(revoking), REVOKE_LIMIT, "gas of a revocation");
    }
}
