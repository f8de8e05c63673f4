// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SignerKind} from "../../src/libraries/SignerKind.sol";
import {AccountTest} from "./AccountTest.sol";
import {Messages, PublishMessage} from "./Messages.sol";
import {Key, Signers} from "./Signers.sol";
import {vm} from "./Vm.sol";

/// @dev k of n keys, as the account should see them.
struct Team {
    Key[] keys;
    uint64 threshold;
    bool passkeysAlone;
}

/// @dev Random steps of a team, its recovery set and strangers. Remembers who may approve what, and asserts of each step
/// that it works for those who may and for nobody else.
contract AccountHandler is AccountTest {
    using Messages for *;
    using Signers for *;

    uint256 private constant POOL = 9;

    Team private current;
    Team private recovery;
    Team private next;
    bytes32 private nextHash;
    uint64 private nextDeadline;
    uint40 private nextFrom;
    mapping(bytes32 announcement => bool) private announced;

    /// @dev An approval that somebody keeps for later.
    PublishMessage private keptMessage;
    bytes private keptSignature;
    bool private keptGood;

    uint256 public versions;
    uint256 private names;

    constructor() {
        setUp();
        put(current, Team(team(), 2, false));
        put(recovery, Team(Signers.list(backup, backup2), 1, true));
    }

    // ---- Steps -----------------------------------------------------------------------------------------------------

    function stepWait(uint32 duration) external {
        pass(bounded(duration, 1, 20 days));
    }

    /// @dev Any keys try, one of them twice at times.
    function stepPublish(uint256 chosen) external {
        Key[] memory keys = chosenFrom(current, chosen);
        PublishMessage memory m = aPublish(newVersion());
        bytes memory signature = nested(account, keys, m.hash(), PUBLISH_TYPE);
        submit(m, signature, suffices(current, keys));
    }

    /// @dev Somebody keeps an approval. It is as good as it was, unless the signers or the recovery set have changed.
    function stepKeep(uint256 chosen) external {
        Key[] memory keys = chosenFrom(current, chosen);
        keptMessage = aPublish(newVersion());
        keptMessage.deadline = type(uint64).max;
        keptSignature = nested(account, keys, keptMessage.hash(), PUBLISH_TYPE);
        keptGood = suffices(current, keys);
    }

    function stepSubmitKept() external {
        if (keptSignature.length == 0) return;
        submit(keptMessage, keptSignature, keptGood);
        delete keptSignature;
    }

    /// @dev Any keys try to make any others the signers, with or without their proof.
    function stepSetSigners(uint256 chosen, uint256 becoming, uint8 k, bool passkeysAlone, bool proving) external {
        Key[] memory keys = chosenFrom(current, chosen);
        Team memory wanted = candidates(becoming, k, passkeysAlone);
        bytes32 digest =
            accountDigest(signersHash("SetSigners", wanted.keys, wanted.threshold, passkeysAlone, soon()));
        uint64 epoch_ = account.signerEpoch() + 1;
        bytes memory proof = (proving ? wanted.keys : Signers.list(Signers.wallet(77))).approval(digest);
        bool good = proving && suffices(current, keys) && reachable(wanted);
        try account.setSigners(
            wanted.keys.signers(), wanted.threshold, passkeysAlone, epoch_, soon(), keys.approval(digest), proof
        ) {
            assertTrue(good, "signers set without the old or the new k");
            become(wanted);
        } catch {
            assertTrue(!good, "a good change was refused");
        }
    }

    function stepSetRecovery(uint256 chosen, uint256 becoming, uint8 k) external {
        Key[] memory keys = chosenFrom(current, chosen);
        Team memory wanted = candidates(becoming, k, true);
        uint64 epoch_ = account.recoveryEpoch() + 1;
        bytes memory approval = keys.approval(accountDigest(recoverySetHash(wanted.keys, wanted.threshold)));
        bool none = wanted.keys.length == 0 && wanted.threshold == 0;
        bool good = suffices(current, keys) && (none || reachable(wanted));
        try account.setRecovery(wanted.keys.signers(), wanted.threshold, epoch_, soon(), approval) {
            assertTrue(good, "recovery set without k");
            put(recovery, wanted);
            forgetAll();
        } catch {
            assertTrue(!good, "a good recovery set was refused");
        }
    }

    function stepScheduleRecovery(uint256 chosen, uint256 becoming, uint8 k, bool passkeysAlone) external {
        Key[] memory keys = chosenFrom(recovery, chosen);
        Team memory wanted = candidates(becoming, k, passkeysAlone);
        bytes32 hash = signersHash("Recover", wanted.keys, wanted.threshold, passkeysAlone, soon());
        uint64 epoch_ = account.signerEpoch() + 1;
        bool good = suffices(recovery, keys) && reachable(wanted) && !announced[hash];
        try account.scheduleRecovery(
            wanted.keys.signers(), wanted.threshold, passkeysAlone, epoch_, soon(), keys.approval(accountDigest(hash))
        ) {
            assertTrue(good, "announced without the recovery set");
            announced[hash] = true;
            put(next, wanted);
            (nextHash, nextDeadline, nextFrom) = (hash, soon(), time() + 30 days);
        } catch {
            assertTrue(!good, "a good announcement was refused");
        }
    }

    function stepRecover(bool proving) external {
        if (nextHash == 0) return;
        Team memory wanted = next;
        bytes memory proof =
            (proving ? wanted.keys : Signers.list(Signers.wallet(77))).approval(accountDigest(nextHash));
        uint64 epoch_ = account.signerEpoch() + 1;
        bool due = proving && time() >= nextFrom;
        try account.recover(
            wanted.keys.signers(), wanted.threshold, wanted.passkeysAlone, epoch_, nextDeadline, proof
        ) {
            assertTrue(due, "recovered before its time");
            become(wanted);
        } catch {
            assertTrue(!due, "a good recovery was refused");
        }
    }

    function stepCancelRecovery(uint256 chosen) external {
        Key[] memory keys = chosenFrom(current, chosen);
        bytes32 digest = accountDigest(
            keccak256(abi.encode(keccak256("CancelRecovery(bytes32 pending,uint64 deadline)"), nextHash, soon()))
        );
        bool good = nextHash != 0 && suffices(current, keys);
        try account.cancelRecovery(nextHash, soon(), keys.approval(digest)) {
            assertTrue(good, "cancelled without k");
            nextHash = 0;
        } catch {
            assertTrue(!good, "a good cancellation was refused");
        }
    }

    // ---- For the invariants ----------------------------------------------------------------------------------------

    /// @dev Whether all current signers together still get a release through.
    function canPublish() external view returns (bool) {
        PublishMessage memory m = aPublish("999.0.0");
        Key[] memory keys = current.keys;
        return account.isValidSignature(digestOf(m.hash()), nested(account, keys, m.hash(), PUBLISH_TYPE))
            == bytes4(0x1626ba7e);
    }

    function isAsExpected() external view returns (bool) {
        (bytes32 pending, uint40 from) = account.pendingRecovery();
        return account.threshold() == current.threshold && account.passkeysAlone() == current.passkeysAlone
            && same(account.signers(), current.keys) && account.recoveryThreshold() == recovery.threshold
            && same(account.recoverySigners(), recovery.keys) && pending == nextHash
            && (pending == 0 ? from == 0 : from == nextFrom);
    }

    function thresholdIsReachable() external view returns (bool) {
        uint256 recoverable = account.recoverySigners().length;
        return account.threshold() > 0 && account.threshold() <= account.signers().length
            && account.recoveryThreshold() <= recoverable && (account.recoveryThreshold() > 0 || recoverable == 0);
    }

    function publishedVersions() external view returns (uint256) {
        return registry.product(product).sequence - 1;
    }

    // ---- Parts -----------------------------------------------------------------------------------------------------

    function submit(PublishMessage memory m, bytes memory signature, bool good) private {
        if (!good) expectRefused(address(account));
        else ++versions;
        publish(m, signature);
    }

    function newVersion() private returns (string memory) {
        return string.concat(vm.toString(++names), ".0.0");
    }

    function become(Team memory wanted) private {
        put(current, wanted);
        forgetAll();
    }

    /// @dev Another signer epoch: nothing that was signed before is worth anything.
    function forgetAll() private {
        keptGood = false;
        nextHash = 0;
    }

    function put(Team storage target, Team memory wanted) private {
        delete target.keys;
        for (uint256 i = 0; i < wanted.keys.length; ++i) {
            target.keys.push(wanted.keys[i]);
        }
        target.threshold = wanted.threshold;
        target.passkeysAlone = wanted.passkeysAlone;
    }

    function pool(uint256 index) private view returns (Key memory) {
        Key[POOL] memory all =
            [alice, bob, carol, dave, erin, mallory, backup, backup2, Key(SignerKind.Passkey, bob.secret)];
        return all[index];
    }

    /// @dev Of the team most of the time: chance alone would rarely find it. Now and then somebody signs twice.
    function chosenFrom(Team memory from, uint256 chosen) private view returns (Key[] memory keys) {
        if (chosen % 4 == 0) return subset(chosen);
        keys = new Key[](from.keys.length + 1);
        uint256 count = 0;
        for (uint256 i = 0; i < from.keys.length; ++i) {
            if (chosen >> (8 + 2 * i) & 3 != 0) keys[count++] = from.keys[i];
        }
        if (chosen % 4 == 1 && count > 0) keys[count] = keys[chosen % count];
        shorten(keys, chosen % 4 == 1 && count > 0 ? count + 1 : count);
    }

    function subset(uint256 chosen) private view returns (Key[] memory keys) {
        keys = new Key[](POOL);
        uint256 count = 0;
        for (uint256 i = 0; i < POOL; ++i) {
            if (chosen >> (8 + i) & 1 == 1) keys[count++] = pool(i);
        }
        shorten(keys, count);
    }

    function shorten(Key[] memory keys, uint256 count) private pure {
        assembly ("memory-safe") {
            mstore(keys, count)
        }
    }

    /// @dev Sets that may be bad in any way: empty, out of reach, with one key twice.
    function candidates(uint256 becoming, uint8 k, bool passkeysAlone) private view returns (Team memory) {
        Key[] memory keys = subset(becoming);
        return Team(keys, uint64(bounded(k, 0, keys.length + 1)), passkeysAlone);
    }

    function reachable(Team memory wanted) private pure returns (bool) {
        return wanted.threshold > 0 && wanted.threshold <= wanted.keys.length && differ(wanted.keys)
            && (wanted.passkeysAlone || hasOutsider(wanted.keys));
    }

    function suffices(Team memory set, Key[] memory keys) private pure returns (bool) {
        for (uint256 i = 0; i < keys.length; ++i) {
            bool member = false;
            for (uint256 j = 0; j < set.keys.length; ++j) {
                member = member || (set.keys[j].kind == keys[i].kind && set.keys[j].secret == keys[i].secret);
            }
            if (!member) return false;
        }
        return set.threshold > 0 && keys.length >= set.threshold && differ(keys)
            && (set.passkeysAlone || hasOutsider(keys));
    }

    function differ(Key[] memory keys) private pure returns (bool) {
        for (uint256 i = 0; i < keys.length; ++i) {
            for (uint256 j = 0; j < i; ++j) {
                if (keys[i].keyHash() == keys[j].keyHash()) return false;
            }
        }
        return true;
    }

    function hasOutsider(Key[] memory keys) private pure returns (bool) {
        for (uint256 i = 0; i < keys.length; ++i) {
            if (keys[i].kind != SignerKind.Passkey) return true;
        }
        return false;
    }

    function same(bytes[] memory signers, Key[] memory keys) private pure returns (bool) {
        return keccak256(abi.encode(signers)) == keccak256(abi.encode(keys.signers()));
    }
}
