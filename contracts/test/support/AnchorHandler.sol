// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDeviceAnchor} from "../../src/interfaces/IDeviceAnchor.sol";
import {AnchorDevicesMessage, AnchorMessages, AnchorTest, RevokeDeviceMessage, Trees} from "./AnchorTest.sol";
import {AcceptMessage, ConfigureMessage, Messages} from "./Messages.sol";
import {vm} from "./Vm.sol";

/// @dev Anchors and revokes at random, hands the product over, and tries what is not allowed. It keeps its own account of
/// what the publisher of the moment has approved.
contract AnchorHandler is AnchorTest {
    using AnchorMessages for *;
    using Messages for *;

    uint256 public constant DEVICES = 4;

    uint256 private constant MAXIMUM_BATCHES = 5;

    bytes32[][] private batches;
    uint256[] private firstDevices;
    mapping(bytes32 root => bool) public approved;
    mapping(uint256 device => bool) public revoked;
    uint256 public revocations;
    uint256 public forgeries;
    uint256 public handOvers;
    uint256 private publisherKey = PUBLISHER_KEY;

    constructor() {
        setUp();
    }

    function batchCount() external view returns (uint256) {
        return batches.length;
    }

    function isInBatch(uint256 batch, uint256 device) public view returns (bool) {
        return device >= firstDevices[batch] && device < firstDevices[batch] + leafCount(batch);
    }

    function isInSomeBatch(uint256 device) external view returns (bool) {
        for (uint256 batch = 0; batch < batches.length; ++batch) {
            if (isInBatch(batch, device)) return true;
        }
        return false;
    }

    function isAcceptedBy(uint256 batch, uint256 device) external view returns (bool) {
        uint256 leaf = device >= firstDevices[batch] ? (device - firstDevices[batch]) % leafCount(batch) : 0;
        return isAccepted(device, Trees.proofOf(batches[batch], leaf));
    }

    function rootOf(uint256 batch) external view returns (bytes32) {
        return batches[batch][0];
    }

    function isAnchored(bytes32 root) external view returns (bool) {
        return anchor.batch(address(registry), product, root).anchoredAt != 0;
    }

    function leafCount(uint256 batch) private view returns (uint256) {
        return (batches[batch].length + 1) / 2;
    }

    // ---- Steps that are allowed ------------------------------------------------------------------------------------

    function stepAnchor(uint256 first, uint256 count) public {
        first = bounded(first, 0, DEVICES - 1);
        count = bounded(count, 1, DEVICES - first);
        bytes32[] memory tree = Trees.nodesOf(leavesOf(first, count));
        if (approved[tree[0]] || batches.length == MAXIMUM_BATCHES) return;
        AnchorDevicesMessage memory m = anAnchor(tree[0], uint32(count));
        anchorDevices(m, signedForAnchor(publisherKey, m.hash()));
        approved[tree[0]] = true;
        batches.push(tree);
        firstDevices.push(first);
    }

    function stepRevoke(uint256 device) public {
        device = bounded(device, 0, DEVICES - 1);
        if (revoked[device]) return;
        RevokeDeviceMessage memory m = aDeviceRevocation(leafOf(device));
        revokeDevice(m, signedForAnchor(publisherKey, m.hash()));
        revoked[device] = true;
        ++revocations;
    }

    function stepHandOver() public {
        (address next, uint256 nextKey) = publisherKey == PUBLISHER_KEY
            ? (successor, SUCCESSOR_KEY)
            : (vm.addr(PUBLISHER_KEY), PUBLISHER_KEY);
        ConfigureMessage memory m = aConfigure();
        m.publisher = next;
        configure(m, signed(publisherKey, m.hash()));
        pass(DELAY);
        AcceptMessage memory a = AcceptMessage(product, next, epoch(), soon());
        applyConfiguration(m, a.deadline, signed(nextKey, a.hash()));
        publisherKey = nextKey;
        ++handOvers;
    }

    // ---- Steps that are not ----------------------------------------------------------------------------------------

    /// @dev Everybody but the publisher of the moment tries to anchor and to revoke.
    function stepForge(uint256 root, uint256 device) public {
        uint256[4] memory keys = [PUBLISHER_KEY, SUCCESSOR_KEY, GUARDIAN_KEY, STRANGER_KEY];
        AnchorDevicesMessage memory m = anAnchor(keccak256(abi.encode("forged", root)), 1);
        RevokeDeviceMessage memory r = aDeviceRevocation(leafOf(DEVICES + device % DEVICES));
        for (uint256 i = 0; i < keys.length; ++i) {
            if (keys[i] == publisherKey) continue;
            bytes memory approval = signedForAnchor(keys[i], m.hash());
            bytes memory revocation = signedForAnchor(keys[i], r.hash());
            expectAnchorRefused(vm.addr(publisherKey));
            anchorDevices(m, approval);
            expectAnchorRefused(vm.addr(publisherKey));
            revokeDevice(r, revocation);
        }
        assertTrue(!this.isAnchored(m.root), "forged");
        ++forgeries;
    }
}
