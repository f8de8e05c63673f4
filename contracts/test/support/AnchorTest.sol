// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDeviceAnchor} from "../../src/interfaces/IDeviceAnchor.sol";
import {RegistryTest} from "./RegistryTest.sol";
import {vm} from "./Vm.sol";

struct AnchorDevicesMessage {
    address registry;
    bytes32 product;
    bytes32 root;
    uint32 count;
    uint32 epoch;
    uint64 deadline;
}

struct RevokeDeviceMessage {
    address registry;
    bytes32 product;
    bytes32 leaf;
    uint64 deadline;
}

/// @dev The EIP-712 types as the specification writes them, hashed apart from the anchor's own code.
library AnchorMessages {
    function hash(AnchorDevicesMessage memory m) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(
            "AnchorDevices(address registry,bytes32 product,bytes32 root,uint32 count,uint32 epoch,uint64 deadline)"
        );
        return keccak256(abi.encode(typeHash, m.registry, m.product, m.root, m.count, m.epoch, m.deadline));
    }

    function hash(RevokeDeviceMessage memory m) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("RevokeDevice(address registry,bytes32 product,bytes32 leaf,uint64 deadline)");
        return keccak256(abi.encode(typeHash, m.registry, m.product, m.leaf, m.deadline));
    }
}

/// @dev Complete binary trees with sorted pairs, as OpenZeppelin's merkle-tree makes them, apart from its code.
library Trees {
    /// @dev Node i has the children 2i + 1 and 2i + 2; the leaves are the last nodes, the first leaf the very last.
    function nodesOf(bytes32[] memory leaves) internal pure returns (bytes32[] memory nodes) {
        nodes = new bytes32[](2 * leaves.length - 1);
        for (uint256 i = nodes.length; i > 0; --i) {
            uint256 at = i - 1;
            nodes[at] = nodes.length - i < leaves.length
                ? leaves[nodes.length - i]
                : parentOf(nodes[2 * at + 1], nodes[2 * at + 2]);
        }
    }

    function parentOf(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(abi.encodePacked(a, b)) : keccak256(abi.encodePacked(b, a));
    }

    function proofOf(bytes32[] memory nodes, uint256 leaf) internal pure returns (bytes32[] memory proof) {
        uint256 at = nodes.length - 1 - leaf;
        uint256 depth;
        for (uint256 i = at; i > 0; i = (i - 1) / 2) ++depth;
        proof = new bytes32[](depth);
        for (uint256 i = 0; i < depth; ++i) {
            proof[i] = nodes[at % 2 == 1 ? at + 1 : at - 1];
            at = (at - 1) / 2;
        }
    }
}

/// @dev An anchor beside the registry, and one line for each thing that is done with it.
abstract contract AnchorTest is RegistryTest {
    using AnchorMessages for *;

    IDeviceAnchor internal anchor;

    function setUp() public virtual override {
        super.setUp();
        anchor = IDeviceAnchor(vm.deployCode("DeviceAnchor.sol:DeviceAnchor"));
    }

    // ---- Devices ---------------------------------------------------------------------------------------------------

    function keyDigestOf(uint256 device) internal pure returns (bytes32) {
        return keccak256(abi.encode("key", device));
    }

    function saltOf(uint256 device) internal pure returns (bytes32) {
        return keccak256(abi.encode("salt", device));
    }

    function leafOf(uint256 device) internal view returns (bytes32) {
        return keccak256(
            abi.encodePacked(keccak256(abi.encodePacked(product, keyDigestOf(device), saltOf(device))))
        );
    }

    /// @dev The leaves of devices `first` to `first + count - 1`.
    function leavesOf(uint256 first, uint256 count) internal view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) leaves[i] = leafOf(first + i);
    }

    function isAccepted(uint256 device, bytes32[] memory proof) internal view returns (bool) {
        return
            anchor.isDeviceAccepted(address(registry), product, keyDigestOf(device), saltOf(device), proof);
    }

    // ---- Messages that would succeed -------------------------------------------------------------------------------

    function anAnchor(bytes32 root, uint32 count) internal view returns (AnchorDevicesMessage memory) {
        return AnchorDevicesMessage(address(registry), product, root, count, epoch(), soon());
    }

    function aDeviceRevocation(bytes32 leaf) internal view returns (RevokeDeviceMessage memory) {
        return RevokeDeviceMessage(address(registry), product, leaf, soon());
    }

    // ---- Submitting ------------------------------------------------------------------------------------------------

    function anchorDigest(bytes32 structHash) internal view returns (bytes32) {
        bytes32 separator = domainSeparator("Firmproof Device Anchor", "1", block.chainid, address(anchor));
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }

    function signedForAnchor(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
        return signedDigest(key, anchorDigest(structHash));
    }

    function anchorDevices(AnchorDevicesMessage memory m, bytes memory approval) internal {
        anchor.anchorDevices(m.registry, m.product, m.root, m.count, m.epoch, m.deadline, approval);
    }

    function anchorDevices(AnchorDevicesMessage memory m) internal {
        anchorDevices(m, signedForAnchor(PUBLISHER_KEY, m.hash()));
    }

    function revokeDevice(RevokeDeviceMessage memory m, bytes memory approval) internal {
        anchor.revokeDevice(m.registry, m.product, m.leaf, m.deadline, approval);
    }

    function revokeDevice(RevokeDeviceMessage memory m) internal {
        revokeDevice(m, signedForAnchor(PUBLISHER_KEY, m.hash()));
    }

    /// @dev As `expectRefused`, by the anchor.
    function expectAnchorRefused(address signer) internal {
        expectError(abi.encodeWithSelector(IDeviceAnchor.ApprovalRefused.selector, signer));
    }
}
