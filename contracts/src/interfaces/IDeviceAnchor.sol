// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev A batch of devices of one product.
struct Batch {
    /// When its root was anchored, in seconds since 1970; zero for a root that is not.
    uint40 anchoredAt;
    /// How many devices the publisher says that the tree holds.
    uint32 count;
}

/// @title Devices that a publisher vouches for
/// @notice Keeps Merkle roots of batches of devices, each approved by the publisher of the product, and the devices that
/// were revoked since. Who the publisher is, the registry that the product is in says at that moment. One anchor serves
/// all registries of a chain: everything in it belongs to a registry and a product, and no registry speaks for another.
/// Anybody may relay. Nobody owns it.
///
/// docs/spec/device-anchor.md says all of it. Trees are those of OpenZeppelin's merkle-tree, a leaf is
/// `keccak256(bytes.concat(keccak256(abi.encode(product, keyDigest, salt))))`.
interface IDeviceAnchor {
    // ---- Events ----------------------------------------------------------------------------------------------------

    /// @notice The publisher vouches for a batch of devices.
    event DevicesAnchored(
        address indexed registry, bytes32 indexed product, bytes32 indexed root, uint32 count, uint40 time
    );

    /// @notice A device is not vouched for any more, and never will be again.
    event DeviceRevoked(address indexed registry, bytes32 indexed product, bytes32 indexed leaf, uint40 time);

    // ---- Errors ----------------------------------------------------------------------------------------------------

    /// @notice There is no contract at this address.
    error UnknownRegistry(address registry);
    /// @notice The registry has no such product.
    error UnknownProduct(bytes32 product);
    /// @notice The product has been configured anew since this was approved.
    error EpochMismatch(uint32 epoch, uint32 expected);
    /// @notice The approval was good until the deadline.
    error Expired(uint64 deadline, uint256 time);
    /// @notice The publisher has not approved this.
    error ApprovalRefused(address signer);
    /// @notice A batch without a root, without devices, or a leaf that is none.
    error EmptyBatch();
    error MissingLeaf();
    /// @notice This root is anchored already: a second time would say nothing new.
    error AlreadyAnchored(bytes32 root);
    /// @notice This device is revoked already.
    error AlreadyRevoked(bytes32 leaf);

    // ---- Changes ---------------------------------------------------------------------------------------------------

    /// @notice Anchors a batch. Signed as
    /// `AnchorDevices(address registry,bytes32 product,bytes32 root,uint32 count,uint32 epoch,uint64 deadline)`.
    /// @param registry The registry that the product is in.
    /// @param root Of the tree of all leaves of the batch.
    /// @param count Of the devices; what the publisher says, which no contract can count.
    /// @param epoch The product's epoch.
    /// @param deadline The approval's last second, in seconds since 1970.
    /// @param approval The publisher's signature, ECDSA or ERC-1271.
    function anchorDevices(
        address registry,
        bytes32 product,
        bytes32 root,
        uint32 count,
        uint32 epoch,
        uint64 deadline,
        bytes calldata approval
    ) external;

    /// @notice Revokes a device, in every batch that names it and in any that ever will. Signed as
    /// `RevokeDevice(address registry,bytes32 product,bytes32 leaf,uint64 deadline)`: like every approval that only stops
    /// something it needs no epoch.
    function revokeDevice(address registry, bytes32 product, bytes32 leaf, uint64 deadline, bytes calldata approval)
        external;

    // ---- Getters ---------------------------------------------------------------------------------------------------

    /// @notice The leaf of a device.
    /// @param keyDigest sha-256 of the public key's SPKI.
    /// @param salt 32 random bytes: who does not know them cannot tell which key a leaf is of.
    function deviceLeaf(bytes32 product, bytes32 keyDigest, bytes32 salt) external pure returns (bytes32);

    /// @notice Whether a device is in an anchored batch and not revoked.
    /// @param proof The siblings on the way from the device's leaf to the root.
    function isDeviceAccepted(
        address registry,
        bytes32 product,
        bytes32 keyDigest,
        bytes32 salt,
        bytes32[] calldata proof
    ) external view returns (bool);

    /// @notice The same for who holds no more than the leaf. It has to come from where leaves are made: of any node inside
    /// of a tree this answers that it is in the tree.
    function isLeafAccepted(address registry, bytes32 product, bytes32 leaf, bytes32[] calldata proof)
        external
        view
        returns (bool);

    /// @notice The batch with this root; all zero where it is not anchored.
    function batch(address registry, bytes32 product, bytes32 root) external view returns (Batch memory);

    /// @notice When the device was revoked, in seconds since 1970; zero where it is not.
    function revokedAt(address registry, bytes32 product, bytes32 leaf) external view returns (uint40);
}
