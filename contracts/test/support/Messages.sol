// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReleaseRegistry} from "../../src/interfaces/IReleaseRegistry.sol";

struct RegisterMessage {
    address publisher;
    string name;
    address guardian;
    uint24 delay;
    bytes32 trustRoot;
    bytes32 predecessor;
    uint64 deadline;
}

struct PublishMessage {
    bytes32 product;
    string version;
    bytes32 image;
    bytes32 attestation;
    uint32 rollbackIndex;
    uint32 epoch;
    uint64 deadline;
}

struct PromoteMessage {
    bytes32 product;
    string channel;
    string version;
    uint32 counter;
    uint40 start;
    uint32 duration;
    uint16 firstShare;
    uint32 epoch;
    uint64 deadline;
}

struct RevokeMessage {
    bytes32 product;
    string version;
    uint64 deadline;
}

struct HaltMessage {
    bytes32 product;
    string channel;
    uint32 halts;
    uint64 deadline;
}

struct ConfigureMessage {
    bytes32 product;
    address publisher;
    address guardian;
    uint24 delay;
    bytes32 trustRoot;
    uint32 epoch;
    uint64 deadline;
}

struct AcceptMessage {
    bytes32 product;
    address publisher;
    uint32 epoch;
    uint64 deadline;
}

struct VetoMessage {
    bytes32 product;
    bytes32 pending;
    uint64 deadline;
}

/// @dev The EIP-712 types as the design writes them, hashed apart from the registry's own code.
library Messages {
    function hash(RegisterMessage memory m) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(
            "Register(address publisher,string name,address guardian,uint24 delay,bytes32 trustRoot,bytes32 predecessor,uint64 deadline)"
        );
        bytes32 name = keccak256(bytes(m.name));
        return keccak256(
            abi.encode(typeHash, m.publisher, name, m.guardian, m.delay, m.trustRoot, m.predecessor, m.deadline)
        );
    }

    function hash(PublishMessage memory m) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(
            "Publish(bytes32 product,string version,bytes32 image,bytes32 attestation,uint32 rollbackIndex,uint32 epoch,uint64 deadline)"
        );
        bytes32 version = keccak256(bytes(m.version));
        return keccak256(
            abi.encode(typeHash, m.product, version, m.image, m.attestation, m.rollbackIndex, m.epoch, m.deadline)
        );
    }

    function hash(PromoteMessage memory m) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(
            "Promote(bytes32 product,string channel,string version,uint32 counter,uint40 start,uint32 duration,uint16 firstShare,uint32 epoch,uint64 deadline)"
        );
        bytes memory strings = abi.encode(keccak256(bytes(m.channel)), keccak256(bytes(m.version)));
        bytes memory numbers = abi.encode(m.counter, m.start, m.duration, m.firstShare, m.epoch, m.deadline);
        return keccak256(bytes.concat(typeHash, m.product, strings, numbers));
    }

    function hash(RevokeMessage memory m) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("Revoke(bytes32 product,string version,uint64 deadline)");
        return keccak256(abi.encode(typeHash, m.product, keccak256(bytes(m.version)), m.deadline));
    }

    function hash(HaltMessage memory m) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("Halt(bytes32 product,string channel,uint32 halts,uint64 deadline)");
        return keccak256(abi.encode(typeHash, m.product, keccak256(bytes(m.channel)), m.halts, m.deadline));
    }

    function hash(ConfigureMessage memory m) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(
            "Configure(bytes32 product,address publisher,address guardian,uint24 delay,bytes32 trustRoot,uint32 epoch,uint64 deadline)"
        );
        return keccak256(
            abi.encode(typeHash, m.product, m.publisher, m.guardian, m.delay, m.trustRoot, m.epoch, m.deadline)
        );
    }

    function hash(AcceptMessage memory m) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("Accept(bytes32 product,address publisher,uint32 epoch,uint64 deadline)");
        return keccak256(abi.encode(typeHash, m.product, m.publisher, m.epoch, m.deadline));
    }

    function hash(VetoMessage memory m) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("Veto(bytes32 product,bytes32 pending,uint64 deadline)");
        return keccak256(abi.encode(typeHash, m.product, m.pending, m.deadline));
    }
}
