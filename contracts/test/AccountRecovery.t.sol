// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IVendorAccount} from "../src/interfaces/IVendorAccount.sol";
import {AccountTest} from "./support/AccountTest.sol";
import {Messages, PublishMessage} from "./support/Messages.sol";
import {Key, Signers} from "./support/Signers.sol";
import {vm} from "./support/Vm.sol";

/// @dev How a team that has lost its keys gets its account back, and how nobody else does.
contract AccountRecoveryTest is AccountTest {
    using Messages for *;
    using Signers for *;

    function test_RecoveryAfterItsNotice() public {
        Key[] memory next = Signers.list(dave, erin);
        uint64 deadline = scheduleRecovery(next, 2, Signers.list(backup));
        (, uint40 from) = account.pendingRecovery();
        assertEqual(from, time() + 30 days, "notice");
        publishBy(Signers.list(alice, bob), "1.0.0");
        pass(30 days - 1);
        recoverFails(abi.encodeWithSelector(IVendorAccount.NoticeNotOver.selector, from, time()), next, deadline);
        pass(1);
        recover(next, 2, deadline, next);
        refusedPublish(Signers.list(alice, bob).approval(publishDigest(aPublish("9.9.9"))));
        publishBy(next, "1.1.0");
        (bytes32 pending,) = account.pendingRecovery();
        assertEqual(pending, 0, "nothing is pending any more");
    }

    function test_RecoveryNeedsTheRecoverySet() public {
        Key[] memory next = Signers.list(dave, erin);
        uint64 epoch_ = account.signerEpoch() + 1;
        bytes[] memory list = next.signers();
        bytes memory approval = team().approval(accountDigest(signersHash("Recover", next, 2, soon())));
        expectError(abi.encodeWithSelector(IVendorAccount.RecoverySignersRefused.selector));
        account.scheduleRecovery(list, 2, false, epoch_, soon(), approval);
    }

    function test_RecoveryNeedsProofOfTheNewSigners() public {
        Key[] memory next = Signers.list(dave, erin);
        uint64 deadline = scheduleRecovery(next, 2, Signers.list(backup));
        pass(30 days);
        bytes32 digest = accountDigest(signersHash("Recover", next, 2, deadline));
        bytes memory proof = Signers.list(backup, backup2).approval(digest);
        bytes[] memory list = next.signers();
        expectError(abi.encodeWithSelector(IVendorAccount.NewSignersRefused.selector));
        account.recover(list, 2, false, 2, deadline, proof);
        assertEqual(account.signerEpoch(), 1, "nothing changed");
    }

    function test_CurrentSignersCancelARecovery() public {
        Key[] memory next = Signers.list(dave, erin);
        uint64 deadline = scheduleRecovery(next, 2, Signers.list(backup));
        cancelRecovery(Signers.list(alice, bob));
        pass(30 days);
        recoverFails(abi.encodeWithSelector(IVendorAccount.NoRecoveryPending.selector), next, deadline);
    }

    function test_OnlyCurrentSignersCancel() public {
        scheduleRecovery(Signers.list(dave, erin), 2, Signers.list(backup));
        (bytes32 pending,) = account.pendingRecovery();
        bytes32 structHash =
            keccak256(abi.encode(keccak256("CancelRecovery(bytes32 pending,uint64 deadline)"), pending, soon()));
        bytes memory approval = Signers.list(backup, backup2).approval(accountDigest(structHash));
        expectError(abi.encodeWithSelector(IVendorAccount.CurrentSignersRefused.selector));
        account.cancelRecovery(pending, soon(), approval);
    }

    function test_NewSignersEndARecovery() public {
        Key[] memory next = Signers.list(dave, erin);
        uint64 deadline = scheduleRecovery(next, 2, Signers.list(backup));
        setSigners(Signers.list(alice, bob), 2, Signers.list(alice, bob), Signers.list(alice, bob));
        pass(30 days);
        recoverFails(abi.encodeWithSelector(IVendorAccount.NoRecoveryPending.selector), next, deadline);
    }

    function test_ANewRecoverySetEndsARecovery() public {
        Key[] memory next = Signers.list(dave, erin);
        uint64 deadline = scheduleRecovery(next, 2, Signers.list(backup));
        setRecovery(Signers.list(mallory), 1, Signers.list(alice, bob));
        pass(30 days);
        recoverFails(abi.encodeWithSelector(IVendorAccount.NoRecoveryPending.selector), next, deadline);
    }

    function test_WithoutARecoverySetNobodyRecovers() public {
        setRecovery(new Key[](0), 0, Signers.list(alice, bob));
        assertEqual(account.recoveryThreshold(), 0, "no recovery");
        Key[] memory next = Signers.list(dave, erin);
        bytes[] memory list = next.signers();
        uint64 deadline = soon();
        uint64 epoch_ = account.signerEpoch() + 1;
        bytes memory nobody = abi.encode(new bytes[](0), new bytes[](0));
        expectError(abi.encodeWithSelector(IVendorAccount.RecoverySignersRefused.selector));
        account.scheduleRecovery(list, 2, false, epoch_, deadline, nobody);
        bytes memory old = announcement(next, 2, deadline, Signers.list(backup));
        expectError(abi.encodeWithSelector(IVendorAccount.RecoverySignersRefused.selector));
        account.scheduleRecovery(list, 2, false, epoch_, deadline, old);
    }

    function test_RecoversOnlyWhatWasAnnounced() public {
        uint64 deadline = scheduleRecovery(Signers.list(dave, erin), 2, Signers.list(backup));
        pass(30 days);
        (bytes32 pending,) = account.pendingRecovery();
        Key[] memory other = Signers.list(mallory, erin);
        bytes32 hash = signersHash("Recover", other, 2, deadline);
        recoverFails(
            abi.encodeWithSelector(IVendorAccount.RecoveryMismatch.selector, hash, pending), other, deadline
        );
    }

    // ---- The notice ------------------------------------------------------------------------------------------------

    /// @dev Anybody could send the announcement again. It must neither begin its notice anew nor undo a cancellation.
    function test_AnAnnouncementCountsOnce() public {
        Key[] memory next = Signers.list(dave, erin);
        uint64 deadline = soon() + 60 days;
        bytes memory approval = announcement(next, 2, deadline, Signers.list(backup));
        announce(next, 2, deadline, approval);
        (bytes32 pending, uint40 from) = account.pendingRecovery();
        pass(20 days);
        announcingFails(alreadyAnnounced(pending), next, 2, deadline, approval);
        (, uint40 stillFrom) = account.pendingRecovery();
        assertEqual(stillFrom, from, "the notice is what it was");
        cancelRecovery(Signers.list(alice, bob));
        announcingFails(alreadyAnnounced(pending), next, 2, deadline, approval);
        pass(30 days);
        recoverFails(abi.encodeWithSelector(IVendorAccount.NoRecoveryPending.selector), next, deadline);
    }

    function test_AnEarlierAnnouncementDoesNotTakeThePlaceOfALaterOne() public {
        uint64 deadline = soon() + 60 days;
        Key[] memory first = Signers.list(mallory, erin);
        bytes memory earlier = announcement(first, 2, deadline, Signers.list(backup2));
        announce(first, 2, deadline, earlier);
        (bytes32 pendingFirst,) = account.pendingRecovery();
        Key[] memory second = Signers.list(dave, erin);
        bytes memory later = announcement(second, 2, deadline, Signers.list(backup));
        vm.expectEmit(address(account));
        emit IVendorAccount.RecoveryCancelled(pendingFirst);
        announce(second, 2, deadline, later);
        announcingFails(alreadyAnnounced(pendingFirst), first, 2, deadline, earlier);
        pass(30 days);
        recover(second, 2, deadline, second);
        publishBy(second, "1.0.0");
    }

    /// @dev The recovery set can only ever lengthen a notice.
    function test_ALaterAnnouncementBeginsANoticeOfItsOwn() public {
        scheduleRecovery(Signers.list(mallory, erin), 2, Signers.list(backup));
        pass(30 days - 1);
        Key[] memory next = Signers.list(dave, erin);
        uint64 deadline = scheduleRecovery(next, 2, Signers.list(backup));
        (, uint40 from) = account.pendingRecovery();
        assertEqual(from, time() + 30 days, "a whole notice");
        pass(1);
        recoverFails(abi.encodeWithSelector(IVendorAccount.NoticeNotOver.selector, from, time()), next, deadline);
    }

    /// @dev The deadline bounds announcing. What was announced waits, and can be cancelled, for as long as it takes.
    function test_RecoversLongAfterTheDeadline() public {
        Key[] memory next = Signers.list(dave, erin);
        uint64 deadline = scheduleRecovery(next, 2, Signers.list(backup));
        pass(3 * 365 days);
        recover(next, 2, deadline, next);
        publishBy(next, "1.0.0");
    }

    function test_CancelsAfterTheNotice() public {
        Key[] memory next = Signers.list(dave, erin);
        uint64 deadline = scheduleRecovery(next, 2, Signers.list(backup));
        pass(3 * 365 days);
        cancelRecovery(Signers.list(alice, bob));
        recoverFails(abi.encodeWithSelector(IVendorAccount.NoRecoveryPending.selector), next, deadline);
    }

    function test_AnnouncesNothingAfterTheDeadline() public {
        Key[] memory next = Signers.list(dave, erin);
        uint64 deadline = soon();
        bytes memory approval = announcement(next, 2, deadline, Signers.list(backup));
        pass(2 hours);
        bytes memory expired = abi.encodeWithSelector(IVendorAccount.ApprovalExpired.selector, deadline, time());
        announcingFails(expired, next, 2, deadline, approval);
    }

    function test_AnnouncesOnlyWhatCanComeIntoForce() public {
        Key[] memory two = Signers.list(dave, erin);
        Key[] memory passkeys = Signers.list(carol, backup2);
        bytes4 threshold = IVendorAccount.InvalidThreshold.selector;
        announcingFails(abi.encodeWithSelector(threshold, 0, 2), two, 0);
        announcingFails(abi.encodeWithSelector(threshold, 3, 2), two, 3);
        announcingFails(abi.encodeWithSelector(threshold, 1, 0), new Key[](0), 1);
        announcingFails(abi.encodeWithSelector(IVendorAccount.PasskeysOnly.selector), passkeys, 2);
        bytes memory twice = abi.encodeWithSelector(IVendorAccount.DuplicateKey.selector, dave.signer());
        announcingFails(twice, Signers.list(dave, dave), 2);
    }

    /// @dev Who has nothing but the log can complete it.
    function test_TheLogHoldsTheMessage() public {
        Key[] memory next = Signers.list(dave, erin);
        uint64 deadline = soon();
        bytes32 pending = signersHash("Recover", next, 2, deadline);
        bytes memory approval = announcement(next, 2, deadline, Signers.list(backup));
        bytes[] memory list = next.signers();
        vm.expectEmit(address(account));
        emit IVendorAccount.RecoveryScheduled(pending, time() + 30 days, list, 2, false, 2, deadline);
        account.scheduleRecovery(list, 2, false, 2, deadline, approval);
    }

    // ---- What has changed since ------------------------------------------------------------------------------------

    function test_NewSignersSayThatTheyEndARecovery() public {
        scheduleRecovery(Signers.list(dave, erin), 2, Signers.list(backup));
        (bytes32 pending,) = account.pendingRecovery();
        Key[] memory same = Signers.list(alice, bob);
        bytes32 digest = accountDigest(signersHash("SetSigners", same, 2, soon()));
        bytes memory approval = same.approval(digest);
        bytes[] memory list = same.signers();
        vm.expectEmit(address(account));
        emit IVendorAccount.RecoveryCancelled(pending);
        account.setSigners(list, 2, false, 2, soon(), approval, approval);
    }

    function test_AnAnnouncementOfAnEarlierEpochIsRefused() public {
        Key[] memory next = Signers.list(dave, erin);
        uint64 deadline = soon() + 60 days;
        bytes memory approval = announcement(next, 2, deadline, Signers.list(backup));
        Key[] memory same = Signers.list(alice, bob);
        setSigners(same, 2, same, same);
        bytes[] memory list = next.signers();
        expectError(abi.encodeWithSelector(IVendorAccount.SignerEpochMismatch.selector, 2, 3));
        account.scheduleRecovery(list, 2, false, 2, deadline, approval);
        // Nor under the epoch of today: it was not signed for that.
        expectError(abi.encodeWithSelector(IVendorAccount.RecoverySignersRefused.selector));
        account.scheduleRecovery(list, 2, false, 3, deadline, approval);
    }

    /// @dev One of two recovery signers has signed. Neither a lower threshold nor a set without the other revives that.
    function test_A46_WhatAnOldRecoverySetHasSignedDies() public {
        setRecovery(Signers.list(backup, backup2), 2, Signers.list(alice, bob));
        Key[] memory next = Signers.list(mallory, erin);
        uint64 deadline = soon() + 60 days;
        uint64 epoch_ = account.signerEpoch() + 1;
        bytes memory partialApproval = announcement(next, 2, deadline, Signers.list(backup));
        bytes[] memory list = next.signers();
        bytes memory refused_ = abi.encodeWithSelector(IVendorAccount.RecoverySignersRefused.selector);
        expectError(refused_);
        account.scheduleRecovery(list, 2, false, epoch_, deadline, partialApproval);
        setRecovery(Signers.list(backup), 1, Signers.list(alice, bob));
        expectError(refused_);
        account.scheduleRecovery(list, 2, false, epoch_ + 1, deadline, partialApproval);
        expectError(abi.encodeWithSelector(IVendorAccount.SignerEpochMismatch.selector, epoch_, epoch_ + 1));
        account.scheduleRecovery(list, 2, false, epoch_, deadline, partialApproval);
        scheduleRecovery(next, 2, Signers.list(backup));
    }

    function test_ANewRecoverySetEndsOpenApprovals() public {
        PublishMessage memory m = aPublish("9.9.9");
        bytes memory before = nested(account, Signers.list(alice, bob), m.hash(), PUBLISH_TYPE);
        setRecovery(Signers.list(backup2), 1, Signers.list(alice, bob));
        assertEqual(account.signerEpoch(), 2, "signer epoch");
        assertEqual(account.recoveryEpoch(), 2, "recovery epoch");
        assertTrue(account.isSigner(alice.signer()) && !account.isSigner(mallory.signer()), "the signers stay");
        expectRefused(address(account));
        publish(m, before);
        publishBy(Signers.list(alice, bob), "1.0.0");
    }

    // ---- What was signed for one thing is of no use for another ----------------------------------------------------

    function test_ApprovalsOfOnePurposeServeNoOther() public {
        Key[] memory next = Signers.list(dave, erin);
        uint64 deadline = soon();
        // The recovery set is given keys of the team, so that only the purpose differs.
        setRecovery(Signers.list(alice, bob), 2, Signers.list(alice, bob));
        Key[] memory two = Signers.list(alice, bob);
        bytes[] memory list = next.signers();
        (uint64 epoch_, uint64 recoveryEpoch_) = (account.signerEpoch() + 1, account.recoveryEpoch() + 1);
        bytes32 toRecover = accountDigest(signersHash("Recover", next, 2, deadline));
        bytes32 toSet = accountDigest(signersHash("SetSigners", next, 2, deadline));
        (bytes memory recovering, bytes memory setting) = (two.approval(toRecover), two.approval(toSet));
        (bytes memory recoverProof, bytes memory setProof) = (next.approval(toRecover), next.approval(toSet));

        expectError(abi.encodeWithSelector(IVendorAccount.CurrentSignersRefused.selector));
        account.setSigners(list, 2, false, epoch_, deadline, recovering, setProof);
        expectError(abi.encodeWithSelector(IVendorAccount.NewSignersRefused.selector));
        account.setSigners(list, 2, false, epoch_, deadline, setting, recoverProof);
        expectError(abi.encodeWithSelector(IVendorAccount.CurrentSignersRefused.selector));
        account.setRecovery(list, 2, recoveryEpoch_, deadline, setting);
        expectError(abi.encodeWithSelector(IVendorAccount.RecoverySignersRefused.selector));
        account.scheduleRecovery(list, 2, false, epoch_, deadline, setting);
        account.scheduleRecovery(list, 2, false, epoch_, deadline, recovering);
        (bytes32 pending,) = account.pendingRecovery();
        expectError(abi.encodeWithSelector(IVendorAccount.CurrentSignersRefused.selector));
        account.cancelRecovery(pending, deadline, recovering);
        pass(30 days);
        expectError(abi.encodeWithSelector(IVendorAccount.NewSignersRefused.selector));
        account.recover(list, 2, false, epoch_, deadline, setProof);
        account.recover(list, 2, false, epoch_, deadline, recoverProof);
    }

    /// @dev What approves a change of signers is no approval towards the registry either, and the other way round.
    function test_ApprovalsOfChangesAreNoneOfReleases() public {
        PublishMessage memory m = aPublish("9.9.9");
        bytes32 change = accountDigest(signersHash("SetSigners", team(), 2, soon()));
        refusedPublish(team().approval(change));
        bytes memory release = team().approval(publishDigest(m));
        bytes[] memory list = team().signers();
        uint64 deadline = soon();
        expectError(abi.encodeWithSelector(IVendorAccount.CurrentSignersRefused.selector));
        account.setSigners(list, 2, false, 2, deadline, release, release);
    }

    // ---- Parts -----------------------------------------------------------------------------------------------------

    function announcement(Key[] memory keys, uint64 threshold, uint64 deadline, Key[] memory by)
        private
        view
        returns (bytes memory)
    {
        return by.approval(accountDigest(signersHash("Recover", keys, threshold, deadline)));
    }

    function announce(Key[] memory keys, uint64 threshold, uint64 deadline, bytes memory approval) private {
        account.scheduleRecovery(keys.signers(), threshold, false, 2, deadline, approval);
    }

    function announcingFails(
        bytes memory errorData,
        Key[] memory keys,
        uint64 threshold,
        uint64 deadline,
        bytes memory approval
    ) private {
        bytes[] memory list = keys.signers();
        expectError(errorData);
        account.scheduleRecovery(list, threshold, false, 2, deadline, approval);
    }

    function announcingFails(bytes memory errorData, Key[] memory keys, uint64 threshold) private {
        announcingFails(errorData, keys, threshold, soon(), announcement(keys, threshold, soon(), Signers.list(backup)));
    }

    function alreadyAnnounced(bytes32 pending) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IVendorAccount.AlreadyAnnounced.selector, pending);
    }

    function recoverFails(bytes memory errorData, Key[] memory keys, uint64 deadline) private {
        bytes memory proof = keys.approval(accountDigest(signersHash("Recover", keys, 2, deadline)));
        bytes[] memory list = keys.signers();
        uint64 next = account.signerEpoch() + 1;
        expectError(errorData);
        account.recover(list, 2, false, next, deadline, proof);
    }
}
