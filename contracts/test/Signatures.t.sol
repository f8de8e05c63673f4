// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Messages, PublishMessage} from "./support/Messages.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {vm} from "./support/Vm.sol";

/// @dev What counts as a signature of an account without code.
contract SignaturesTest is RegistryTest {
    using Messages for *;

    uint256 private constant CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    function testFuzz_RefusesTheOtherSOfASignature(bytes32 image) public {
        PublishMessage memory m = aPublish();
        if (image != 0) m.image = image;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PUBLISHER_KEY, digestOf(m.hash()));
        bytes memory flipped = abi.encodePacked(r, bytes32(CURVE_ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        expectRefused(publisher);
        publish(m, flipped);
        publish(m, abi.encodePacked(r, s, v));
    }

    function test_RefusesCompactAndPaddedForms() public {
        PublishMessage memory m = aPublish();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PUBLISHER_KEY, digestOf(m.hash()));
        bytes32 compact = bytes32(uint256(s) | (uint256(v - 27) << 255));
        expectRefused(publisher);
        publish(m, abi.encodePacked(r, compact));
        expectRefused(publisher);
        publish(m, abi.encodePacked(r, s));
        expectRefused(publisher);
        publish(m, abi.encodePacked(r, s, v, uint8(0)));
        expectRefused(publisher);
        publish(m, abi.encode(r, s, v));
    }

    function test_RefusesOtherRecoveryIds() public {
        PublishMessage memory m = aPublish();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PUBLISHER_KEY, digestOf(m.hash()));
        for (uint256 other = 0; other < 256; ++other) {
            if (other == v) continue;
            expectRefused(publisher);
            publish(m, abi.encodePacked(r, s, uint8(other)));
        }
    }

    function testFuzz_RefusesAFlippedBit(uint256 bit) public {
        PublishMessage memory m = aPublish();
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        bit %= 65 * 8;
        approval[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        expectRefused(publisher);
        publish(m, approval);
    }

    function testFuzz_RefusesAnyBytes(bytes memory approval) public {
        PublishMessage memory m = aPublish();
        expectRefused(publisher);
        publish(m, approval);
    }

    function testFuzz_RefusesAnotherDomain(string memory name, string memory version, uint64 chain, address verifier)
        public
    {
        bytes32 right = domainSeparator("Firmproof Registry", "1", block.chainid, address(registry));
        bytes32[5] memory separators = [
            domainSeparator(name, version, chain, verifier),
            domainSeparator(name, "1", block.chainid, address(registry)),
            domainSeparator("Firmproof Registry", version, block.chainid, address(registry)),
            domainSeparator("Firmproof Registry", "1", chain, address(registry)),
            domainSeparator("Firmproof Registry", "1", block.chainid, verifier)
        ];
        PublishMessage memory m = aPublish();
        for (uint256 i = 0; i < separators.length; ++i) {
            if (separators[i] == right) continue;
            bytes32 digest = keccak256(abi.encodePacked(hex"1901", separators[i], m.hash()));
            bytes memory approval = signedDigest(PUBLISHER_KEY, digest);
            expectRefused(publisher);
            publish(m, approval);
        }
    }

    /// @dev A wallet's "sign this message" must never amount to an approval.
    function test_RefusesAPersonalSignature() public {
        PublishMessage memory m = aPublish();
        bytes32 digest = keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", digestOf(m.hash())));
        bytes memory approval = signedDigest(PUBLISHER_KEY, digest);
        expectRefused(publisher);
        publish(m, approval);
        approval = signedDigest(PUBLISHER_KEY, m.hash());
        expectRefused(publisher);
        publish(m, approval);
    }
}
