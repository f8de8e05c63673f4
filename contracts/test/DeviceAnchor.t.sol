// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Batch, IDeviceAnchor} from "../src/interfaces/IDeviceAnchor.sol";
import {Product} from "../src/interfaces/IReleaseRegistry.sol";
import {
    AnchorDevicesMessage,
    AnchorMessages,
    AnchorTest,
    RevokeDeviceMessage,
    Trees
} from "./support/AnchorTest.sol";
import {ContractAccount} from "./support/ContractAccount.sol";
import {Messages, RegisterMessage} from "./support/Messages.sol";
import {vm} from "./support/Vm.sol";

/// @dev Says of any product that the stranger publishes it.
contract LyingRegistry {
    address private immutable publisher;

    constructor(address publisher_) {
        publisher = publisher_;
    }

    function product(bytes32) external view returns (Product memory state) {
        state.publisher = publisher;
        state.epoch = 1;
    }
}

contract DeviceAnchorTest is AnchorTest {
    using AnchorMessages for *;
    using Messages for *;

    bytes32[] private nodes;
    bytes32 private root;
    uint32 private constant COUNT = 5;

    function setUp() public override {
        super.setUp();
        nodes = Trees.nodesOf(leavesOf(0, COUNT));
        root = nodes[0];
    }

    function proofOf(uint256 device) private view returns (bytes32[] memory) {
        return Trees.proofOf(nodes, device);
    }

    // ---- Anchoring -------------------------------------------------------------------------------------------------

    function test_AnchorsABatchAndAcceptsItsDevices() public {
        vm.expectEmit(address(anchor));
        emit IDeviceAnchor.DevicesAnchored(address(registry), product, root, COUNT, time());
        anchorDevices(anAnchor(root, COUNT));
        Batch memory batch = anchor.batch(address(registry), product, root);
        assertEqual(batch.count, COUNT, "count");
        assertEqual(batch.anchoredAt, time(), "time");
        for (uint256 device = 0; device < COUNT; ++device) {
            assertTrue(isAccepted(device, proofOf(device)), "accepted");
            assertTrue(
                anchor.isLeafAccepted(address(registry), product, leafOf(device), proofOf(device)), "accepted by leaf"
            );
        }
    }

    function test_TheLeafIsHashedTwice() public view {
        assertEqual(anchor.deviceLeaf(product, keyDigestOf(1), saltOf(1)), leafOf(1), "leaf");
    }

    function test_NothingIsAcceptedBeforeItIsAnchored() public view {
        assertTrue(!isAccepted(0, proofOf(0)), "not anchored");
        assertTrue(!isAccepted(0, new bytes32[](0)), "no proof");
    }

    function test_ABatchOfOneNeedsNoProof() public {
        anchorDevices(anAnchor(leafOf(7), 1));
        assertTrue(isAccepted(7, new bytes32[](0)), "accepted");
        assertTrue(!isAccepted(8, new bytes32[](0)), "another");
    }

    function test_AnybodyRelays() public {
        AnchorDevicesMessage memory m = anAnchor(root, COUNT);
        bytes memory approval = signedForAnchor(PUBLISHER_KEY, m.hash());
        vm.prank(stranger);
        anchorDevices(m, approval);
        assertTrue(isAccepted(0, proofOf(0)), "accepted");
    }

    function test_ABatchCanFollowAnother() public {
        anchorDevices(anAnchor(root, COUNT));
        bytes32[] memory more = Trees.nodesOf(leavesOf(100, 3));
        anchorDevices(anAnchor(more[0], 3));
        assertTrue(isAccepted(0, proofOf(0)), "first batch");
        assertTrue(isAccepted(101, Trees.proofOf(more, 1)), "second batch");
    }

    function test_AContractAccountApproves() public {
        ContractAccount account = new ContractAccount();
        RegisterMessage memory r = aRegister();
        r.name = "hub";
        r.publisher = address(account);
        account.approve(digestOf(r.hash()));
        product = register(r, "by the account");
        AnchorDevicesMessage memory m = anAnchor(root, COUNT);
        expectAnchorRefused(address(account));
        anchorDevices(m, "by the account");
        account.approve(anchorDigest(m.hash()));
        expectAnchorRefused(address(account));
        anchorDevices(m, "by another");
        anchorDevices(m, "by the account");
        assertEqual(anchor.batch(address(registry), product, root).count, COUNT, "count");
    }

    // ---- What is refused -------------------------------------------------------------------------------------------

    function test_A14_NotASecondTime() public {
        AnchorDevicesMessage memory m = anAnchor(root, COUNT);
        anchorDevices(m);
        bytes memory approval = signedForAnchor(PUBLISHER_KEY, m.hash());
        expectError(abi.encodeWithSelector(IDeviceAnchor.AlreadyAnchored.selector, root));
        anchorDevices(m, approval);
    }

    function test_A14_NotOnAnotherChain() public {
        AnchorDevicesMessage memory m = anAnchor(root, COUNT);
        bytes memory approval = signedForAnchor(PUBLISHER_KEY, m.hash());
        vm.chainId(block.chainid + 1);
        expectAnchorRefused(publisher);
        anchorDevices(m, approval);
    }

    function test_A14_NotForAnotherProduct() public {
        AnchorDevicesMessage memory m = anAnchor(root, COUNT);
        bytes memory approval = signedForAnchor(PUBLISHER_KEY, m.hash());
        RegisterMessage memory r = aRegister();
        r.name = "lamp-2";
        m.product = register(r);
        expectAnchorRefused(publisher);
        anchorDevices(m, approval);
    }

    function test_A14_NotInAnotherRegistry() public {
        AnchorDevicesMessage memory m = anAnchor(root, COUNT);
        bytes memory approval = signedForAnchor(PUBLISHER_KEY, m.hash());
        LyingRegistry other = new LyingRegistry(publisher);
        m.registry = address(other);
        expectAnchorRefused(publisher);
        anchorDevices(m, approval);
    }

    function test_A14_AnApprovalForTheRegistryIsNone() public {
        AnchorDevicesMessage memory m = anAnchor(root, COUNT);
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        expectAnchorRefused(publisher);
        anchorDevices(m, approval);
    }

    /// @dev A registry of a stranger's speaks for what it says itself, and for nothing in another registry.
    function test_ALyingRegistryReachesOnlyItsOwnDevices() public {
        LyingRegistry other = new LyingRegistry(stranger);
        AnchorDevicesMessage memory m = anAnchor(root, COUNT);
        m.registry = address(other);
        anchorDevices(m, signedForAnchor(STRANGER_KEY, m.hash()));
        assertTrue(anchor.isLeafAccepted(address(other), product, leafOf(0), proofOf(0)), "there");
        assertTrue(!isAccepted(0, proofOf(0)), "not here");

        anchorDevices(anAnchor(root, COUNT));
        RevokeDeviceMessage memory r = aDeviceRevocation(leafOf(0));
        r.registry = address(other);
        revokeDevice(r, signedForAnchor(STRANGER_KEY, r.hash()));
        assertTrue(isAccepted(0, proofOf(0)), "not revoked here");
    }

    function test_NotByTheOldPublisherAfterAHandOver() public {
        AnchorDevicesMessage memory m = anAnchor(root, COUNT);
        bytes memory approval = signedForAnchor(PUBLISHER_KEY, m.hash());
        RevokeDeviceMessage memory r = aDeviceRevocation(leafOf(0));
        r.deadline = type(uint64).max;
        bytes memory revocation = signedForAnchor(PUBLISHER_KEY, r.hash());
        handOver();

        expectError(abi.encodeWithSelector(IDeviceAnchor.EpochMismatch.selector, m.epoch, epoch()));
        anchorDevices(m, approval);
        m = anAnchor(root, COUNT);
        approval = signedForAnchor(PUBLISHER_KEY, m.hash());
        expectAnchorRefused(successor);
        anchorDevices(m, approval);
        expectAnchorRefused(successor);
        revokeDevice(r, revocation);

        anchorDevices(m, signedForAnchor(SUCCESSOR_KEY, m.hash()));
        assertTrue(isAccepted(0, proofOf(0)), "by the successor");
    }

    function test_NotByTheGuardian() public {
        AnchorDevicesMessage memory m = anAnchor(root, COUNT);
        expectAnchorRefused(publisher);
        anchorDevices(m, signedForAnchor(GUARDIAN_KEY, m.hash()));
        anchorDevices(m);
        RevokeDeviceMessage memory r = aDeviceRevocation(leafOf(0));
        bytes memory revocation = signedForAnchor(GUARDIAN_KEY, r.hash());
        expectAnchorRefused(publisher);
        revokeDevice(r, revocation);
    }

    function test_NotAfterTheDeadline() public {
        AnchorDevicesMessage memory m = anAnchor(root, COUNT);
        RevokeDeviceMessage memory r = aDeviceRevocation(leafOf(0));
        bytes memory approval = signedForAnchor(PUBLISHER_KEY, m.hash());
        bytes memory revocation = signedForAnchor(PUBLISHER_KEY, r.hash());
        vm.warp(uint256(m.deadline) + 1);
        expectError(abi.encodeWithSelector(IDeviceAnchor.Expired.selector, m.deadline, m.deadline + 1));
        anchorDevices(m, approval);
        expectError(abi.encodeWithSelector(IDeviceAnchor.Expired.selector, r.deadline, r.deadline + 1));
        revokeDevice(r, revocation);
        vm.warp(m.deadline);
        anchorDevices(m, approval);
        revokeDevice(r, revocation);
    }

    function test_NotWithoutARootOrDevices() public {
        AnchorDevicesMessage memory m = anAnchor(0, COUNT);
        bytes memory approval = signedForAnchor(PUBLISHER_KEY, m.hash());
        expectError(abi.encodeWithSelector(IDeviceAnchor.EmptyBatch.selector));
        anchorDevices(m, approval);
        m = anAnchor(root, 0);
        approval = signedForAnchor(PUBLISHER_KEY, m.hash());
        expectError(abi.encodeWithSelector(IDeviceAnchor.EmptyBatch.selector));
        anchorDevices(m, approval);
    }

    /// @dev An unknown product's publisher is zero, which ecrecover answers for nonsense.
    function test_NotForWhatIsNotThere() public {
        AnchorDevicesMessage memory m = anAnchor(root, COUNT);
        m.product = keccak256("unknown");
        m.epoch = 0;
        expectError(abi.encodeWithSelector(IDeviceAnchor.UnknownProduct.selector, m.product));
        anchorDevices(m, new bytes(65));
        RevokeDeviceMessage memory r = aDeviceRevocation(leafOf(0));
        r.product = m.product;
        expectError(abi.encodeWithSelector(IDeviceAnchor.UnknownProduct.selector, m.product));
        revokeDevice(r, new bytes(65));
        m.registry = stranger;
        expectError(abi.encodeWithSelector(IDeviceAnchor.UnknownRegistry.selector, stranger));
        anchorDevices(m, new bytes(65));
    }

    /// @dev What the publisher has not signed of the message cannot be changed by who relays it.
    function test_OnlyAsSigned() public {
        AnchorDevicesMessage memory m = anAnchor(root, COUNT);
        bytes memory approval = signedForAnchor(PUBLISHER_KEY, m.hash());
        AnchorDevicesMessage memory other = anAnchor(root, COUNT + 1);
        expectAnchorRefused(publisher);
        anchorDevices(other, approval);
        other = anAnchor(leafOf(9), COUNT);
        expectAnchorRefused(publisher);
        anchorDevices(other, approval);
        other = anAnchor(root, COUNT);
        other.deadline += 1;
        expectAnchorRefused(publisher);
        anchorDevices(other, approval);
        expectAnchorRefused(publisher);
        anchorDevices(m, "");
    }

    // ---- Revoking (A37) --------------------------------------------------------------------------------------------

    function test_A37_ARevokedDeviceIsAcceptedNoMore() public {
        anchorDevices(anAnchor(root, COUNT));
        vm.expectEmit(address(anchor));
        emit IDeviceAnchor.DeviceRevoked(address(registry), product, leafOf(2), time());
        revokeDevice(aDeviceRevocation(leafOf(2)));
        assertEqual(anchor.revokedAt(address(registry), product, leafOf(2)), time(), "time");
        for (uint256 device = 0; device < COUNT; ++device) {
            assertTrue(isAccepted(device, proofOf(device)) == (device != 2), "only that one");
        }
    }

    function test_A37_NoBatchBringsItBack() public {
        anchorDevices(anAnchor(root, COUNT));
        revokeDevice(aDeviceRevocation(leafOf(2)));
        bytes32[] memory again = Trees.nodesOf(leavesOf(2, 2));
        anchorDevices(anAnchor(again[0], 2));
        assertTrue(!isAccepted(2, Trees.proofOf(again, 0)), "stays revoked");
        assertTrue(isAccepted(3, Trees.proofOf(again, 1)), "its neighbour");
    }

    function test_A37_ADeviceIsRevokedBeforeItIsAnchored() public {
        revokeDevice(aDeviceRevocation(leafOf(2)));
        anchorDevices(anAnchor(root, COUNT));
        assertTrue(!isAccepted(2, proofOf(2)), "revoked");
    }

    function test_ARevocationIsOncePerDevice() public {
        RevokeDeviceMessage memory r = aDeviceRevocation(leafOf(2));
        revokeDevice(r);
        bytes memory approval = signedForAnchor(PUBLISHER_KEY, r.hash());
        expectError(abi.encodeWithSelector(IDeviceAnchor.AlreadyRevoked.selector, leafOf(2)));
        revokeDevice(r, approval);
        r = aDeviceRevocation(0);
        approval = signedForAnchor(PUBLISHER_KEY, r.hash());
        expectError(abi.encodeWithSelector(IDeviceAnchor.MissingLeaf.selector));
        revokeDevice(r, approval);
    }

    function test_ARevocationIsOnlyAsSigned() public {
        RevokeDeviceMessage memory r = aDeviceRevocation(leafOf(2));
        bytes memory approval = signedForAnchor(PUBLISHER_KEY, r.hash());
        r.leaf = leafOf(3);
        expectAnchorRefused(publisher);
        revokeDevice(r, approval);
        r = aDeviceRevocation(leafOf(2));
        r.deadline += 1;
        expectAnchorRefused(publisher);
        revokeDevice(r, approval);
    }

    // ---- Fuzz ------------------------------------------------------------------------------------------------------

    function testFuzz_EveryLeafOfEveryTreeIsAccepted(uint256 count, uint256 device) public {
        count = bounded(count, 1, 40);
        device = bounded(device, 0, count - 1);
        bytes32[] memory tree = Trees.nodesOf(leavesOf(1000, count));
        anchorDevices(anAnchor(tree[0], uint32(count)));
        assertTrue(isAccepted(1000 + device, Trees.proofOf(tree, device)), "accepted");
        assertTrue(!isAccepted(device, Trees.proofOf(tree, device)), "another device with its proof");
    }

    function testFuzz_AChangedProofProvesNothing(uint256 device, uint256 step, bytes32 change) public {
        anchorDevices(anAnchor(root, COUNT));
        device = bounded(device, 0, COUNT - 1);
        bytes32[] memory proof = proofOf(device);
        step = bounded(step, 0, proof.length - 1);
        bool changes = change != 0;
        proof[step] ^= change;
        assertTrue(isAccepted(device, proof) != changes, "proof");
    }

    function testFuzz_OnlyThePublisherAnchors(uint256 key) public {
        key = bounded(key, 1, type(uint128).max);
        AnchorDevicesMessage memory m = anAnchor(root, COUNT);
        bytes memory approval = signedForAnchor(key, m.hash());
        expectAnchorRefused(publisher);
        anchorDevices(m, approval);
    }
}
