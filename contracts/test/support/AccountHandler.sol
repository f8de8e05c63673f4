// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SignerKind} from "../../src/libraries/SignerSets.sol";
import {AccountTest} from "./AccountTest.sol";
import {Messages, PublishMessage} from "./Messages.sol";
import {Key, Signers} from "./Signers.sol";
import {vm} from "./Vm.sol";

/// @dev Random steps of a team, its recovery set and strangers. Remembers who the signers should be.
contract AccountHandler is AccountTest {
    using Messages for *;
    using Signers for *;

    uint256 private constant POOL = 9;

    Key[] private current;
    uint64 public currentThreshold = 2;
    Key[] private next;
    uint64 private nextThreshold;
    uint64 private nextDeadline;
    uint64 private nextEpoch;
    uint256 public versions;

    constructor() {
        setUp();
        Key[] memory keys = team();
        for (uint256 i = 0; i < keys.length; ++i) {
            current.push(keys[i]);
        }
    }

    // ---- Steps -----------------------------------------------------------------------------------------------------

    function stepWait(uint32 duration) external {
        pass(bounded(duration, 1, 20 days));
    }

    /// @dev Any keys of the pool try: exactly k different current signers, one of them not in a browser, publish.
    function stepPublish(uint256 chosen) external {
        Key[] memory keys = subset(chosen);
        PublishMessage memory m = aPublish(string.concat(vm.toString(versions + 1), ".0.0"));
        bytes memory signature = nested(account, keys, m.hash(), PUBLISH_TYPE);
        if (!suffices(keys)) expectRefused(address(account));
        else ++versions;
        publish(m, signature);
    }

    /// @dev Any keys of the pool try to make any others the signers, with or without their proof.
    function stepSetSigners(uint256 chosen, uint256 becoming, uint8 k, bool proving) external {
        Key[] memory keys = subset(chosen);
        (Key[] memory wanted, uint64 threshold) = candidates(becoming, k);
        bytes32 digest = accountDigest(signersHash("SetSigners", wanted, threshold, soon()));
        uint64 epoch_ = account.signerEpoch() + 1;
        bytes memory proof = (proving ? wanted : Signers.list(Signers.wallet(77))).approval(digest);
        bool good = proving && suffices(keys) && reachable(wanted, threshold);
        try account.setSigners(
            wanted.signers(), threshold, false, epoch_, soon(), keys.approval(digest), proof
        ) {
            assertTrue(good, "signers set without the old or the new k");
            become(wanted, threshold);
        } catch {
            assertTrue(!good, "a good change was refused");
        }
    }

    function stepScheduleRecovery(bool byBackup, uint256 becoming, uint8 k) external {
        (Key[] memory wanted, uint64 threshold) = candidates(becoming, k);
        Key[] memory by = byBackup ? Signers.list(backup) : Signers.list(mallory);
        bytes32 digest = accountDigest(signersHash("Recover", wanted, threshold, soon()));
        uint64 epoch_ = account.signerEpoch() + 1;
        try account.scheduleRecovery(wanted.signers(), threshold, false, epoch_, soon(), by.approval(digest)) {
            assertTrue(byBackup, "scheduled by a stranger");
            delete next;
            for (uint256 i = 0; i < wanted.length; ++i) {
                next.push(wanted[i]);
            }
            (nextThreshold, nextDeadline, nextEpoch) = (threshold, soon(), epoch_);
        } catch {
            assertTrue(!byBackup, "a good announcement was refused");
        }
    }

    function stepRecover() external {
        if (next.length == 0 || nextEpoch != account.signerEpoch() + 1) return;
        (bytes32 pending, uint40 from) = account.pendingRecovery();
        Key[] memory wanted = next;
        bytes32 digest = accountDigest(signersHash("Recover", wanted, nextThreshold, nextDeadline));
        bool due = pending != 0 && time() >= from && reachable(wanted, nextThreshold);
        try account.recover(
            wanted.signers(), nextThreshold, false, nextEpoch, nextDeadline, wanted.approval(digest)
        ) {
            assertTrue(due, "recovered before its time");
            become(wanted, nextThreshold);
        } catch {
            assertTrue(!due, "a good recovery was refused");
        }
    }

    function stepCancelRecovery(uint256 chosen) external {
        Key[] memory keys = subset(chosen);
        (bytes32 pending,) = account.pendingRecovery();
        bytes32 digest = accountDigest(
            keccak256(abi.encode(keccak256("CancelRecovery(bytes32 pending,uint64 deadline)"), pending, soon()))
        );
        try account.cancelRecovery(pending, soon(), keys.approval(digest)) {
            assertTrue(pending != 0 && suffices(keys), "cancelled without k");
        } catch {
            assertTrue(pending == 0 || !suffices(keys), "a good cancellation was refused");
        }
    }

    // ---- For the invariants ----------------------------------------------------------------------------------------

    /// @dev Whether all current signers together still get a release through.
    function canPublish() external view returns (bool) {
        PublishMessage memory m = aPublish("999.0.0");
        Key[] memory keys = current;
        return account.isValidSignature(digestOf(m.hash()), nested(account, keys, m.hash(), PUBLISH_TYPE))
            == bytes4(0x1626ba7e);
    }

    function isAsExpected() external view returns (bool) {
        if (account.threshold() != currentThreshold || account.signers().length != current.length) return false;
        for (uint256 i = 0; i < current.length; ++i) {
            if (!account.isSigner(current[i].signer())) return false;
        }
        return true;
    }

    function thresholdIsReachable() external view returns (bool) {
        return account.threshold() > 0 && account.threshold() <= account.signers().length;
    }

    function publishedVersions() external view returns (uint256) {
        return registry.product(product).sequence - 1;
    }

    // ---- Parts -----------------------------------------------------------------------------------------------------

    function become(Key[] memory wanted, uint64 threshold) private {
        delete current;
        for (uint256 i = 0; i < wanted.length; ++i) {
            current.push(wanted[i]);
        }
        currentThreshold = threshold;
    }

    function pool(uint256 index) private view returns (Key memory) {
        Key[POOL] memory all =
            [alice, bob, carol, dave, erin, mallory, backup, backup2, Key(SignerKind.Passkey, bob.secret)];
        return all[index];
    }

    function subset(uint256 chosen) private view returns (Key[] memory keys) {
        keys = new Key[](POOL);
        uint256 count = 0;
        // The current team most of the time: chance alone would rarely find it.
        if (chosen % 4 != 0) {
            for (uint256 i = 0; i < current.length; ++i) {
                if (chosen >> (8 + i) & 3 != 0) keys[count++] = current[i];
            }
        } else {
            for (uint256 i = 0; i < POOL; ++i) {
                if (chosen >> (8 + i) & 1 == 1) keys[count++] = pool(i);
            }
        }
        assembly ("memory-safe") {
            mstore(keys, count)
        }
    }

    /// @dev Sets that may be bad in any way: empty, out of reach, with one key twice.
    function candidates(uint256 becoming, uint8 k) private view returns (Key[] memory keys, uint64 threshold) {
        keys = subset(becoming << 2);
        threshold = uint64(bounded(k, 0, keys.length + 1));
    }

    function reachable(Key[] memory keys, uint64 threshold) private pure returns (bool) {
        if (threshold == 0 || threshold > keys.length) return false;
        bool outside = false;
        for (uint256 i = 0; i < keys.length; ++i) {
            outside = outside || keys[i].kind != SignerKind.Passkey;
            for (uint256 j = 0; j < i; ++j) {
                if (keys[i].keyHash() == keys[j].keyHash()) return false;
            }
        }
        return outside;
    }

    function suffices(Key[] memory keys) private view returns (bool) {
        bool outside = false;
        for (uint256 i = 0; i < keys.length; ++i) {
            bool member = false;
            for (uint256 j = 0; j < current.length; ++j) {
                member = member || (current[j].kind == keys[i].kind && current[j].secret == keys[i].secret);
            }
            if (!member) return false;
            outside = outside || keys[i].kind != SignerKind.Passkey;
        }
        return keys.length >= currentThreshold && outside;
    }
}
