// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Head, Product, Release} from "./interfaces/IReleaseRegistry.sol";

/// @title Storage of the registry
/// @dev A base of its own, inherited before OpenZeppelin's EIP712 (which takes two slots), so that the mappings which
/// devices prove into sit at slots 0 to 2. Devices in the field compute these slots themselves: never reorder.
abstract contract ReleaseRegistryStorage {
    /// @dev Slot 0.
    mapping(bytes32 product => Product) internal _products;
    /// @dev Slot 1.
    mapping(bytes32 product => mapping(bytes32 channel => Head)) internal _heads;
    /// @dev Slot 2.
    mapping(bytes32 product => mapping(bytes32 version => Release)) internal _releases;
    /// @dev Slot 3.
    bytes32 internal _registrations;
}
