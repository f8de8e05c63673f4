// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ContractAccount} from "./support/ContractAccount.sol";
import {HaltMessage, Messages, PublishMessage, RegisterMessage} from "./support/Messages.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

/// @dev Publisher and guardian as ERC-1271 accounts.
contract ContractAccountTest is RegistryTest {
    using Messages for *;

    ContractAccount private account;

    function setUp() public override {
        super.setUp();
        account = new ContractAccount();
        RegisterMessage memory r = aRegister();
        r.name = "hub";
        r.publisher = address(account);
        r.guardian = address(account);
        account.approve(digestOf(r.hash()));
        product = register(r, "by the account");
    }

    function test_PublishesForAContractAccount() public {
        PublishMessage memory m = aPublish();
        account.approve(digestOf(m.hash()));
        publish(m, "by the account");
        assertEqual(registry.release(product, "7.28.0").status, 1, "status");
    }

    function test_RefusesWhatTheAccountDoesNotApprove() public {
        PublishMessage memory m = aPublish();
        expectRefused(address(account));
        publish(m, "by the account");
        account.approve(digestOf(m.hash()));
        expectRefused(address(account));
        publish(m, "by another");
        expectRefused(address(account));
        publish(m, "");
    }

    function test_RefusesEveryWrongAnswer() public {
        PublishMessage memory m = aPublish();
        account.approve(digestOf(m.hash()));
        for (uint8 answer = 1; answer <= uint8(type(ContractAccount.Answer).max); ++answer) {
            account.behave(ContractAccount.Answer(answer));
            expectRefused(address(account));
            publish(m, "by the account");
        }
    }

    function test_HaltsForAContractAccount() public {
        PublishMessage memory m = aPublish();
        account.approve(digestOf(m.hash()));
        publish(m, "by the account");
        account.approve(digestOf(aPromote().hash()));
        promote(aPromote(), "by the account");
        HaltMessage memory h = aHalt();
        account.approve(digestOf(h.hash()));
        halt(h, address(account), "by the account");
        assertTrue(registry.head(product, "stable").halted, "halted");
    }
}
