// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {DeviceAnchorStorage, Devices} from "./DeviceAnchorStorage.sol";
import {Batch, IDeviceAnchor} from "./interfaces/IDeviceAnchor.sol";
import {IReleaseRegistry, Product} from "./interfaces/IReleaseRegistry.sol";

/// @title Devices that a publisher vouches for
/// @dev As in the registry, each function reads: what the state allows, then who approved, then the change, then its event.
/// The registry and the approver are asked by static calls, before anything is written.
contract DeviceAnchor is IDeviceAnchor, DeviceAnchorStorage, EIP712 {
    bytes32 private constant ANCHOR_DEVICES_TYPEHASH = keccak256(
        "AnchorDevices(address registry,bytes32 product,bytes32 root,uint32 count,uint32 epoch,uint64 deadline)"
    );
    bytes32 private constant REVOKE_DEVICE_TYPEHASH =
        keccak256("RevokeDevice(address registry,bytes32 product,bytes32 leaf,uint64 deadline)");

    constructor() EIP712("Firmproof Device Anchor", "1") {}

    // ---- Changes ---------------------------------------------------------------------------------------------------

    /// @inheritdoc IDeviceAnchor
    function anchorDevices(
        address registry,
        bytes32 product,
        bytes32 root,
        uint32 count,
        uint32 epoch,
        uint64 deadline,
        bytes calldata approval
    ) external {
        if (root == 0 || count == 0) revert EmptyBatch();
        Batch storage entry = _devices[registry][product].batches[root];
        if (entry.anchoredAt != 0) revert AlreadyAnchored(root);
        Product memory state = _registered(registry, product);
        if (epoch != state.epoch) revert EpochMismatch(epoch, state.epoch);
        _requireApproval(
            state.publisher,
            keccak256(abi.encode(ANCHOR_DEVICES_TYPEHASH, registry, product, root, count, epoch, deadline)),
            deadline,
            approval
        );

        uint40 time = uint40(block.timestamp);
        entry.anchoredAt = time;
        entry.count = count;

        emit DevicesAnchored(registry, product, root, count, time);
    }

    /// @inheritdoc IDeviceAnchor
    function revokeDevice(address registry, bytes32 product, bytes32 leaf, uint64 deadline, bytes calldata approval)
        external
    {
        if (leaf == 0) revert MissingLeaf();
        Devices storage devices = _devices[registry][product];
        if (devices.revokedAt[leaf] != 0) revert AlreadyRevoked(leaf);
        _requireApproval(
            _registered(registry, product).publisher,
            keccak256(abi.encode(REVOKE_DEVICE_TYPEHASH, registry, product, leaf, deadline)),
            deadline,
            approval
        );

        uint40 time = uint40(block.timestamp);
        devices.revokedAt[leaf] = time;

        emit DeviceRevoked(registry, product, leaf, time);
    }

    // ---- Getters ---------------------------------------------------------------------------------------------------

    /// @inheritdoc IDeviceAnchor
    function deviceLeaf(bytes32 product, bytes32 keyDigest, bytes32 salt) public pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(product, keyDigest, salt))));
    }

    /// @inheritdoc IDeviceAnchor
    function isDeviceAccepted(
        address registry,
        bytes32 product,
        bytes32 keyDigest,
        bytes32 salt,
        bytes32[] calldata proof
    ) external view returns (bool) {
        return isLeafAccepted(registry, product, deviceLeaf(product, keyDigest, salt), proof);
    }

    /// @inheritdoc IDeviceAnchor
    function isLeafAccepted(address registry, bytes32 product, bytes32 leaf, bytes32[] calldata proof)
        public
        view
        returns (bool)
    {
        Devices storage devices = _devices[registry][product];
        bytes32 root = MerkleProof.processProofCalldata(proof, leaf);
        return devices.batches[root].anchoredAt != 0 && devices.revokedAt[leaf] == 0;
    }

    /// @inheritdoc IDeviceAnchor
    function batch(address registry, bytes32 product, bytes32 root) external view returns (Batch memory) {
        return _devices[registry][product].batches[root];
    }

    /// @inheritdoc IDeviceAnchor
    function revokedAt(address registry, bytes32 product, bytes32 leaf) external view returns (uint40) {
        return _devices[registry][product].revokedAt[leaf];
    }

    // ---- Conditions ------------------------------------------------------------------------------------------------

    /// @dev The product as its registry describes it now.
    function _registered(address registry, bytes32 product) private view returns (Product memory state) {
        if (registry.code.length == 0) revert UnknownRegistry(registry);
        state = IReleaseRegistry(registry).product(product);
        if (state.publisher == address(0)) revert UnknownProduct(product);
    }

    /// @dev The one place where a signature is believed.
    function _requireApproval(address signer, bytes32 structHash, uint64 deadline, bytes calldata approval)
        private
        view
    {
        if (block.timestamp > deadline) revert Expired(deadline, block.timestamp);
        if (!SignatureChecker.isValidSignatureNowCalldata(signer, _hashTypedDataV4(structHash), approval)) {
            revert ApprovalRefused(signer);
        }
    }
}
