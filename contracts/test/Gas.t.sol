// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";
import {PublishMessage, Messages} from "./support/Messages.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {vm} from "./support/Vm.sol";

/// @dev What a release costs. Deterministic, hence the tests of .gas-snapshot: the payload is made in setUp, so that
/// the measured call meets cold storage, as in a transaction of its own.
contract GasTest is RegistryTest {
    using Messages for *;

    uint256 private constant PUBLISH_LIMIT = 75_000;

    bytes private payload;

    function setUp() public override {
        super.setUp();
        publish(aPublish("7.27.0"));
        PublishMessage memory m = aPublish("7.28.0");
        m.rollbackIndex = 1;
        bytes memory approval = signed(PUBLISHER_KEY, m.hash());
        payload = abi.encodeCall(
            IReleaseRegistry.publish,
            (m.product, m.version, m.image, m.attestation, m.rollbackIndex, m.epoch, m.deadline, approval)
        );
    }

    function test_PublishStaysWithinItsLimit() public {
        bytes memory data = payload;
        address target = address(registry);
        // A transaction finds its target warm.
        assertTrue(target.code.length > 0, "deployed");
        uint256 before = gasleft();
        (bool success,) = target.call(data);
        uint256 used = before - gasleft();
        assertTrue(success, "published");
        assertAtMost(used, PUBLISH_LIMIT, "gas of a publish");
    }
}
