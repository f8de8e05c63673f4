// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";
import {AccountTest} from "./support/AccountTest.sol";
import {Messages, PublishMessage} from "./support/Messages.sol";
import {Key, Signers} from "./support/Signers.sol";

/// @dev What a release of a 2-of-3 account costs, as in GasTest.
contract AccountGasTest is AccountTest {
    using Messages for *;

    uint256 private constant PUBLISH_LIMIT = 115_000;
    uint256 private constant PASSKEY_LIMIT = 125_000;

    bytes private twoP256;
    bytes private withPasskey;

    function setUp() public override {
        super.setUp();
        account = create(parameters(Signers.list(bob, erin, carol), 2));
        product = registerFor(account, Signers.list(bob, erin));
        publishBy(Signers.list(bob, erin), "7.27.0");
        twoP256 = payload(Signers.list(bob, erin));
        withPasskey = payload(Signers.list(bob, carol));
    }

    function payload(Key[] memory keys) private view returns (bytes memory) {
        PublishMessage memory m = aPublish("7.28.0");
        m.rollbackIndex = 1;
        return abi.encodeCall(
            IReleaseRegistry.publish,
            (
                m.product,
                m.version,
                m.image,
                m.attestation,
                m.rollbackIndex,
                m.epoch,
                m.deadline,
                nested(account, keys, m.hash(), PUBLISH_TYPE)
            )
        );
    }

    function test_PublishByTwoP256KeysStaysWithinItsLimit() public {
        assertAtMost(gasOf(twoP256), PUBLISH_LIMIT, "gas of a publish");
    }

    /// @dev What the browser says comes on top: client data, authenticator data, two hashes.
    function test_PublishByAPasskeyStaysWithinItsLimit() public {
        assertAtMost(gasOf(withPasskey), PASSKEY_LIMIT, "gas of a publish");
    }

    function gasOf(bytes memory data) private returns (uint256 used) {
        address target = address(registry);
        // A transaction finds its target warm.
        assertTrue(target.code.length > 0, "deployed");
        uint256 before = gasleft();
        (bool success,) = target.call(data);
        used = before - gasleft();
        assertTrue(success, "published");
    }
}
