// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountParameters, IVendorAccount} from "../src/interfaces/IVendorAccount.sol";
import {SignerKind} from "../src/libraries/SignerKind.sol";
import {P256_VERIFIER, WEBAUTHN_VERIFIER} from "../src/libraries/Verifiers.sol";
import {AccountTest, ITypedAccount} from "./support/AccountTest.sol";
import {Messages, PublishMessage} from "./support/Messages.sol";
import {Key, Signers} from "./support/Signers.sol";
import {vm} from "./support/Vm.sol";

/// @dev What an account approves, and what it refuses.
contract VendorAccountTest is AccountTest {
    using Messages for *;
    using Signers for *;

    bytes4 private constant MAGIC = 0x1626ba7e;
    bytes4 private constant REFUSED = 0xffffffff;

    // ---- Approves --------------------------------------------------------------------------------------------------

    function test_TwoOfThreePublish() public {
        publishBy(Signers.list(alice, bob), "1.0.0");
        publishBy(Signers.list(bob, carol), "1.1.0");
        publishBy(Signers.list(carol, alice), "1.2.0");
        publishBy(team(), "1.3.0");
        assertEqual(registry.product(product).sequence, 5, "registration and four releases");
    }

    function test_SaysThatItNestsTypedData() public view {
        bytes32 question = 0x7739773977397739773977397739773977397739773977397739773977397739;
        assertAnswer(account.isValidSignature(question, ""), bytes4(0x77390001), "ERC-7739");
        assertAnswer(account.isValidSignature(bytes32(0), ""), REFUSED, "an empty signature approves nothing");
    }

    function test_ItsDomainSaltIsTheSignerEpoch() public {
        assertEqual(salt(), bytes32(uint256(1)), "first epoch");
        setSigners(Signers.list(alice, bob), 2, Signers.list(alice, bob), Signers.list(alice, bob));
        assertEqual(salt(), bytes32(uint256(2)), "next epoch");
    }

    function salt() private view returns (bytes32 value) {
        (,,,,, value,) = account.eip712Domain();
    }

    function test_PasskeysAloneWhereThatIsAllowed() public {
        Key memory second = Signers.passkey(30);
        AccountParameters memory p = parameters(Signers.list(carol, second), 2);
        p.passkeysAlone = true;
        account = create(p);
        product = registerFor(account, Signers.list(carol, second));
        publishBy(Signers.list(carol, second), "1.0.0");
    }

    // ---- A12, A45: who counts --------------------------------------------------------------------------------------

    function test_A12_RefusesOneOfTwo() public {
        refusedPublish(Signers.list(alice).approval(publishDigest(aPublish("9.9.9"))));
    }

    function test_A12_RefusesAnEmptyApproval() public {
        refusedPublish(abi.encode(new bytes[](0), new bytes[](0)));
        refusedPublish("");
    }

    function test_A12_CountsAKeyOnce() public {
        bytes32 digest = publishDigest(aPublish("9.9.9"));
        refusedPublish(Signers.list(bob, bob).approval(digest));
        refusedPublish(Signers.list(alice, bob, bob).approval(digest));
    }

    function test_A12_RefusesAStranger() public {
        refusedPublish(Signers.list(alice, mallory).approval(publishDigest(aPublish("9.9.9"))));
        refusedPublish(Signers.list(alice, bob, mallory).approval(publishDigest(aPublish("9.9.9"))));
    }

    function test_A12_RefusesMoreSignersThanSignatures() public {
        bytes32 digest = publishDigest(aPublish("9.9.9"));
        bytes[] memory one = new bytes[](1);
        one[0] = alice.sign(digest);
        refusedPublish(abi.encode(Signers.list(alice, bob).sorted().signers(), one));
    }

    function test_A45_OneKeyUnderTwoVerifiersIsOneKey() public {
        Key memory twin = Key(SignerKind.Passkey, bob.secret);
        AccountParameters memory p = parameters(Signers.list(alice, bob, twin), 2);
        expectError(abi.encodeWithSelector(IVendorAccount.DuplicateKey.selector, twin.signer()));
        factory.create(p);
        // The same key as another kind is no signer either.
        assertTrue(!account.isSigner(twin.signer()), "not under the other verifier");
        refusedPublish(Signers.list(alice, twin).approval(publishDigest(aPublish("9.9.9"))));
    }

    function test_A45_RefusesOtherVerifiers() public {
        bytes[] memory list = team().signers();
        list[1] = abi.encodePacked(address(this), bob.point());
        AccountParameters memory p = parameters(team(), 2);
        p.signers = list;
        expectError(abi.encodeWithSelector(IVendorAccount.InvalidSigner.selector, list[1]));
        factory.create(p);
    }

    function test_A45_RefusesPointsOffTheCurve() public {
        refusesSigner(abi.encodePacked(P256_VERIFIER, uint256(1), uint256(1)));
        refusesSigner(abi.encodePacked(WEBAUTHN_VERIFIER, uint256(0), uint256(0)));
        refusesSigner(abi.encodePacked(P256_VERIFIER, type(uint256).max, uint256(1)));
    }

    function test_A45_RefusesWrongLengths() public {
        refusesSigner("");
        refusesSigner(abi.encodePacked(bytes19(hex"01")));
        refusesSigner(abi.encodePacked(alice.signer(), hex"00"));
        refusesSigner(abi.encodePacked(bob.signer(), hex"00"));
    }

    function test_A45_RefusesAddressesThatCannotSign() public {
        refusesSigner(abi.encodePacked(address(0)));
        refusesSigner(abi.encodePacked(address(account)));
    }

    function refusesSigner(bytes memory signer) private {
        AccountParameters memory p = parameters(team(), 2);
        p.signers[2] = signer;
        expectError(abi.encodeWithSelector(IVendorAccount.InvalidSigner.selector, signer));
        factory.create(p);
    }

    /// @dev EIP-7702 puts code at a wallet's address: still only its key counts.
    function test_AWalletWithDelegatedCodeIsStillItsKey() public {
        vm.etch(vm.addr(alice.secret), abi.encodePacked(hex"ef0100", address(this)));
        publishBy(Signers.list(alice, bob), "1.0.0");
        refusedPublish(Signers.list(Signers.wallet(99), bob).approval(publishDigest(aPublish("9.9.9"))));
    }

    /// @dev Of that length, but not of that form: 23 bytes are a contract, unless EIP-7702 put them there.
    function test_AContractOfTheLengthOfADelegationIsNoWallet() public {
        address contractAddress = address(0xc0de);
        vm.etch(contractAddress, abi.encodePacked(hex"600000", address(this)));
        assertEqual(contractAddress.code.length, 23, "length");
        refusesSigner(abi.encodePacked(contractAddress));
    }

    function test_AWalletWithDelegatedCodeCanBeASigner() public {
        vm.etch(vm.addr(dave.secret), abi.encodePacked(hex"ef0100", address(this)));
        setSigners(Signers.list(alice, dave), 2, Signers.list(alice, bob), Signers.list(alice, dave));
        publishBy(Signers.list(alice, dave), "1.0.0");
    }

    // ---- A49: not in a browser alone -------------------------------------------------------------------------------

    function test_A49_RefusesPasskeysAlone() public {
        Key memory second = Signers.passkey(30);
        account = create(parameters(Signers.list(alice, carol, second), 2));
        product = registerFor(account, Signers.list(alice, carol));
        publishBy(Signers.list(alice, second), "1.0.0");
        refusedPublish(Signers.list(carol, second).approval(publishDigest(aPublish("9.9.9"))));
    }

    function test_A49_RefusesASetOfPasskeysAlone() public {
        AccountParameters memory p = parameters(Signers.list(carol, Signers.passkey(30)), 2);
        expectError(abi.encodeWithSelector(IVendorAccount.PasskeysOnly.selector));
        factory.create(p);
    }

    function test_RefusesAPasskeyWithoutItsUser() public {
        PublishMessage memory m = aPublish("9.9.9");
        bytes32 digest = publishDigest(m);
        bytes1[3] memory flags = [bytes1(0x00), 0x01, 0x04];
        for (uint256 i = 0; i < flags.length; ++i) {
            refusedPublish(approvalWith(carol, carol.assertion(digest, flags[i]), digest));
        }
    }

    // ---- A15: one signature, one form ------------------------------------------------------------------------------

    function test_A15_RefusesTheOtherFormsOfAP256Signature() public {
        bytes32 digest = publishDigest(aPublish("9.9.9"));
        (bytes32 r, bytes32 s) = bob.signLow(digest);
        refusedPublish(approvalWith(bob, abi.encodePacked(r, s.flipped()), digest));
        refusedPublish(approvalWith(bob, abi.encodePacked(r, s, uint8(27)), digest));
        refusedPublish(approvalWith(bob, abi.encodePacked(r), digest));
        refusedPublish(approvalWith(bob, abi.encodePacked(bytes32(0), s), digest));
        refusedPublish(approvalWith(bob, abi.encodePacked(r, bytes32(0)), digest));
    }

    function test_A15_RefusesTheOtherFormsOfAWalletsSignature() public {
        bytes32 digest = publishDigest(aPublish("9.9.9"));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(alice.secret, digest);
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        refusedPublish(approvalWith(alice, abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? 28 : 27), digest));
        refusedPublish(approvalWith(alice, abi.encodePacked(r, bytes32(uint256(v - 27) << 255 | uint256(s))), digest));
    }

    /// @dev An approval by this key with this signature and by one other in order.
    function approvalWith(Key memory key, bytes memory signature, bytes32 digest) private view returns (bytes memory) {
        Key memory other = key.kind == SignerKind.Wallet ? bob : alice;
        Key[] memory pair = Signers.list(key, other).sorted();
        bytes[] memory signatures = new bytes[](2);
        for (uint256 i = 0; i < 2; ++i) {
            signatures[i] = pair[i].kind == key.kind ? signature : pair[i].sign(digest);
        }
        return abi.encode(pair.signers(), signatures);
    }

    // ---- What was signed -------------------------------------------------------------------------------------------

    function test_A14_RefusesAnotherAccountOfTheSameSigners() public {
        ITypedAccount other = create(parameters(team(), 3));
        PublishMessage memory m = aPublish("9.9.9");
        refusedPublish(
            Signers.list(alice, bob).approval(nestedDigest(other, 1, registrySeparator(), m.hash(), PUBLISH_TYPE))
        );
    }

    function test_A14_RefusesAnotherRegistry() public {
        PublishMessage memory m = aPublish("9.9.9");
        bytes32 elsewhere = domainSeparator("Firmproof Registry", "1", block.chainid, address(this));
        bytes32 digest = nestedDigest(account, 1, elsewhere, m.hash(), PUBLISH_TYPE);
        bytes memory approval = Signers.list(alice, bob).approval(digest);
        refusedPublish(approval);
        bytes memory signature = wrap(approval, elsewhere, m.hash(), PUBLISH_TYPE);
        expectRefused(address(account));
        publish(m, signature);
    }

    function test_A14_RefusesAnotherChain() public {
        PublishMessage memory m = aPublish("9.9.9");
        bytes32 digest = publishDigest(m);
        vm.chainId(block.chainid + 1);
        bytes memory signature = wrap(Signers.list(alice, bob).approval(digest), registrySeparator(), m.hash(), PUBLISH_TYPE);
        assertAnswer(account.isValidSignature(digestOf(m.hash()), signature), REFUSED, "other chain");
    }

    /// @dev The account has the same address on every chain, so its own domain must name the chain too.
    function test_A14_RefusesAnotherChainsApprovalsWhateverTheyAreFor() public {
        PublishMessage memory m = aPublish("9.9.9");
        bytes32 hash = digestOf(m.hash());
        bytes memory signature = nested(account, Signers.list(alice, bob), m.hash(), PUBLISH_TYPE);
        Key[] memory two = Signers.list(alice, bob);
        bytes memory change = two.approval(accountDigest(signersHash("SetSigners", two, 1, soon())));
        bytes[] memory list = two.signers();
        assertAnswer(account.isValidSignature(hash, signature), MAGIC, "this chain");
        vm.chainId(block.chainid + 1);
        assertAnswer(account.isValidSignature(hash, signature), REFUSED, "other chain");
        expectError(abi.encodeWithSelector(IVendorAccount.CurrentSignersRefused.selector));
        account.setSigners(list, 1, false, 2, soon(), change, change);
    }

    function test_RefusesWhatIsNotNested() public {
        PublishMessage memory m = aPublish("9.9.9");
        bytes memory plain = Signers.list(alice, bob).approval(digestOf(m.hash()));
        refusedPublish(plain);
        expectRefused(address(account));
        publish(m, plain);
    }

    /// @dev The other path of ERC-7739, whose domain has no place for the epoch.
    function test_RefusesPersonalSign() public view {
        bytes32 hash = digestOf(aPublish("9.9.9").hash());
        bytes32 personal = accountDigest(keccak256(abi.encode(keccak256("PersonalSign(bytes prefixed)"), hash)));
        bytes memory approval = Signers.list(alice, bob).approval(personal);
        assertAnswer(account.isValidSignature(hash, approval), REFUSED, "PersonalSign");
    }

    /// @dev OpenZeppelin's answer to such a description is the hash of nothing: not even who has signed that is believed.
    function test_RefusesADescriptionThatHidesTheName() public {
        PublishMessage memory m = aPublish("9.9.9");
        string[3] memory descriptions = ["(bytes32 a)", "Pub lish(bytes32 a)", ""];
        bytes32[2] memory digests =
            [publishDigest(m), keccak256(abi.encodePacked(hex"1901", registrySeparator(), bytes32(0)))];
        for (uint256 i = 0; i < descriptions.length * digests.length; ++i) {
            bytes memory approval = Signers.list(alice, bob).approval(digests[i % 2]);
            bytes memory signature = wrap(approval, registrySeparator(), m.hash(), descriptions[i / 2]);
            assertAnswer(account.isValidSignature(digestOf(m.hash()), signature), REFUSED, descriptions[i / 2]);
        }
    }

    function testFuzz_GarbageApprovesNothing(bytes32 hash, bytes calldata garbage) public view {
        try account.isValidSignature(hash, garbage) returns (bytes4 answer) {
            assertTrue(answer != MAGIC, "approved");
        } catch {}
    }

    function testFuzz_GarbageInTheApprovalApprovesNothing(bytes calldata garbage) public {
        PublishMessage memory m = aPublish("9.9.9");
        bytes memory signature = wrap(garbage, registrySeparator(), m.hash(), PUBLISH_TYPE);
        expectRefused(address(account));
        publish(m, signature);
    }

    // ---- A13, A46: approvals die with their signers ----------------------------------------------------------------

    function test_A13_ApprovalsOfARemovedSignerDie() public {
        PublishMessage memory m = aPublish("9.9.9");
        bytes memory before = nested(account, Signers.list(alice, bob), m.hash(), PUBLISH_TYPE);
        setSigners(Signers.list(alice, carol, dave), 2, team(), Signers.list(alice, dave));
        expectRefused(address(account));
        publish(m, before);
        bytes memory removed = nested(account, Signers.list(alice, bob), m.hash(), PUBLISH_TYPE);
        expectRefused(address(account));
        publish(m, removed);
        publishBy(Signers.list(alice, dave), "1.0.0");
    }

    function test_A46_ALowerThresholdRevivesNothing() public {
        PublishMessage memory m = aPublish("9.9.9");
        bytes memory partialApproval = nested(account, Signers.list(bob), m.hash(), PUBLISH_TYPE);
        setSigners(team(), 1, Signers.list(alice, bob), Signers.list(bob));
        expectRefused(address(account));
        publish(m, partialApproval);
    }

    function test_A46_ASignerAddedBackRevivesNothing() public {
        PublishMessage memory m = aPublish("9.9.9");
        bytes memory before = nested(account, Signers.list(alice, bob), m.hash(), PUBLISH_TYPE);
        setSigners(Signers.list(alice, carol, dave), 2, Signers.list(alice, bob), Signers.list(alice, dave));
        setSigners(team(), 2, Signers.list(alice, dave), Signers.list(alice, bob));
        expectRefused(address(account));
        publish(m, before);
        publishBy(Signers.list(alice, bob), "1.0.0");
    }

    // ---- SetSigners ------------------------------------------------------------------------------------------------

    function test_SetSignersNeedsTheOldAndTheNew() public {
        Key[] memory next = Signers.list(dave, erin);
        bytes memory current = abi.encodeWithSelector(IVendorAccount.CurrentSignersRefused.selector);
        bytes memory proof = abi.encodeWithSelector(IVendorAccount.NewSignersRefused.selector);
        setSignersFails(current, next, 2, Signers.list(alice), Signers.list(dave, erin));
        setSignersFails(current, next, 2, Signers.list(dave, erin), Signers.list(dave, erin));
        setSignersFails(proof, next, 2, Signers.list(alice, bob), Signers.list(dave));
        setSignersFails(proof, next, 2, Signers.list(alice, bob), Signers.list(alice, bob));
        setSigners(next, 2, Signers.list(alice, bob), Signers.list(dave, erin));
        assertEqual(account.signerEpoch(), 2, "epoch");
        assertEqual(account.signers().length, 2, "signers");
        assertTrue(!account.isSigner(alice.signer()) && account.isSigner(dave.signer()), "members");
    }

    function test_SetSignersRefusesUnreachableSets() public {
        Key[] memory two = Signers.list(alice, bob);
        setSignersFails(abi.encodeWithSelector(IVendorAccount.InvalidThreshold.selector, 0, 2), two, 0, two, two);
        setSignersFails(abi.encodeWithSelector(IVendorAccount.InvalidThreshold.selector, 3, 2), two, 3, two, two);
        Key[] memory none = new Key[](0);
        setSignersFails(abi.encodeWithSelector(IVendorAccount.InvalidThreshold.selector, 1, 0), none, 1, two, two);
        Key[] memory many = new Key[](33);
        for (uint256 i = 0; i < many.length; ++i) {
            many[i] = Signers.wallet(1000 + i);
        }
        setSignersFails(abi.encodeWithSelector(IVendorAccount.TooManySigners.selector, 33, 32), many, 1, two, two);
    }

    function test_SetSignersRefusesAnotherEpochAndAPastDeadline() public {
        Key[] memory two = Signers.list(alice, bob);
        bytes[] memory list = two.signers();
        bytes memory any = two.approval(0);
        expectError(abi.encodeWithSelector(IVendorAccount.SignerEpochMismatch.selector, 3, 2));
        account.setSigners(list, 2, false, 3, soon(), any, any);
        uint64 past = time() - 1;
        expectError(abi.encodeWithSelector(IVendorAccount.ApprovalExpired.selector, past, time()));
        account.setSigners(list, 2, false, 2, past, any, any);
    }

    // ---- Factory ---------------------------------------------------------------------------------------------------

    function test_TheAddressIsKnownBefore() public {
        AccountParameters memory p = parameters(Signers.list(dave, erin), 1);
        address expected = factory.addressOf(p);
        assertEqual(expected.code.length, 0, "not there yet");
        assertEqual(factory.create(p), expected, "made there");
        assertTrue(expected.code.length > 0, "there");
        assertEqual(factory.create(p), expected, "made once");
    }

    function test_A16_TheAddressCommitsToEverySignerAndThreshold() public view {
        AccountParameters memory p = parameters(team(), 2);
        address usual = factory.addressOf(p);
        assertEqual(usual, address(account), "the team's");
        assertTrue(factory.addressOf(parameters(team(), 1)) != usual, "threshold");
        assertTrue(factory.addressOf(parameters(Signers.list(alice, bob, mallory), 2)) != usual, "signer");
        p.recoveryThreshold = 2;
        assertTrue(factory.addressOf(p) != usual, "recovery threshold");
        p = parameters(team(), 2);
        p.recoverySigners[0] = mallory.signer();
        assertTrue(factory.addressOf(p) != usual, "recovery signer");
        p = parameters(team(), 2);
        p.passkeysAlone = true;
        assertTrue(factory.addressOf(p) != usual, "passkeysAlone");
    }

    function test_IsSignedBySaysWhoseASignatureIs() public view {
        bytes32 hash = keccak256("anything");
        Key[3] memory keys = [alice, bob, carol];
        for (uint256 i = 0; i < keys.length; ++i) {
            assertTrue(account.isSignedBy(keys[i].signer(), hash, keys[i].sign(hash)), "its own");
            assertTrue(!account.isSignedBy(keys[i].signer(), hash, keys[i].sign(~hash)), "of something else");
            assertTrue(!account.isSignedBy(dave.signer(), hash, keys[i].sign(hash)), "of somebody else");
        }
    }

    // ---- Fuzz ------------------------------------------------------------------------------------------------------

    function testFuzz_OnlyKDifferentCurrentSignersPublish(uint8 chosen, uint8 size, uint8 k) public {
        uint256 n = bounded(size, 1, 6);
        uint64 threshold = uint64(bounded(k, 1, n));
        Key[] memory keys = new Key[](n);
        for (uint256 i = 0; i < n; ++i) {
            keys[i] = Key(SignerKind(1 + i % 3), Signers.secretOf(100 + i));
        }
        account = create(parameters(keys, threshold));
        product = registerFor(account, keys);
        (uint256 count, bool outside) = (0, false);
        Key[] memory approving = new Key[](n);
        for (uint256 i = 0; i < n; ++i) {
            if (chosen >> i & 1 == 0) continue;
            outside = outside || keys[i].kind != SignerKind.Passkey;
            approving[count++] = keys[i];
        }
        assembly ("memory-safe") {
            mstore(approving, count)
        }
        PublishMessage memory m = aPublish("1.0.0");
        bytes memory signature = nested(account, approving, m.hash(), PUBLISH_TYPE);
        if (count < threshold || !outside) expectRefused(address(account));
        publish(m, signature);
    }

    function assertAnswer(bytes4 actual, bytes4 expected, string memory what) private pure {
        assertEqual(bytes32(actual), bytes32(expected), what);
    }
}
