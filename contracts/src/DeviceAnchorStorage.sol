// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Batch} from "./interfaces/IDeviceAnchor.sol";

/// @dev All that is known of the devices of one product in one registry. Nothing is ever taken away.
struct Devices {
    mapping(bytes32 root => Batch) batches;
    mapping(bytes32 leaf => uint40) revokedAt;
}

/// @dev A contract of its own, inherited first, so that the mapping lies at slot 0, where storage proofs look for it.
abstract contract DeviceAnchorStorage {
    mapping(address registry => mapping(bytes32 product => Devices)) internal _devices;
}
