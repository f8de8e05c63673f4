// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Imported so that forge compiles them; `vm.deployCode` finds what is compiled.
import {ERC7913P256Verifier} from "@openzeppelin/contracts/utils/cryptography/verifiers/ERC7913P256Verifier.sol";
import {
    ERC7913WebAuthnVerifier
} from "@openzeppelin/contracts/utils/cryptography/verifiers/ERC7913WebAuthnVerifier.sol";

import {AccountParameters, IVendorAccount} from "../../src/interfaces/IVendorAccount.sol";
import {P256_VERIFIER, WEBAUTHN_VERIFIER} from "../../src/libraries/Verifiers.sol";
import {Messages, PublishMessage, RegisterMessage} from "./Messages.sol";
import {RegistryTest} from "./RegistryTest.sol";
import {Key, Signers} from "./Signers.sol";
import {vm} from "./Vm.sol";

interface IVendorAccountFactory {
    function create(AccountParameters calldata parameters) external returns (address account);
    function addressOf(AccountParameters calldata parameters) external view returns (address);
}

interface ITypedAccount is IVendorAccount {
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4);
    function eip712Domain()
        external
        view
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory);
}

/// @dev A 2-of-3 account of a wallet, a P-256 key and a passkey with a 1-of-2 recovery set, and the product that it
/// publishes.
abstract contract AccountTest is RegistryTest {
    using Messages for *;
    using Signers for *;

    string internal constant PUBLISH_TYPE =
        "Publish(bytes32 product,string version,bytes32 image,bytes32 attestation,uint32 rollbackIndex,uint32 epoch,uint64 deadline)";
    string internal constant REGISTER_TYPE =
        "Register(address publisher,string name,address guardian,uint24 delay,bytes32 trustRoot,bytes32 predecessor,uint64 deadline)";

    IVendorAccountFactory internal factory;
    ITypedAccount internal account;
    Key internal alice = Signers.wallet(1);
    Key internal bob = Signers.p256(2);
    Key internal carol = Signers.passkey(3);
    Key internal dave = Signers.wallet(4);
    Key internal erin = Signers.p256(5);
    Key internal mallory = Signers.p256(6);
    Key internal backup = Signers.wallet(7);
    Key internal backup2 = Signers.passkey(8);

    function setUp() public virtual override {
        super.setUp();
        placeVerifiers();
        factory = IVendorAccountFactory(vm.deployCode("VendorAccountFactory.sol:VendorAccountFactory"));
        account = create(parameters(team(), 2));
        product = registerFor(account, Signers.list(alice, bob));
    }

    /// @dev As compiled for deployment, where the deployment proxy would put them.
    function placeVerifiers() internal {
        vm.etch(P256_VERIFIER, vm.deployCode("ERC7913P256Verifier.sol:ERC7913P256Verifier").code);
        vm.etch(WEBAUTHN_VERIFIER, vm.deployCode("ERC7913WebAuthnVerifier.sol:ERC7913WebAuthnVerifier").code);
    }

    function team() internal view returns (Key[] memory) {
        return Signers.list(alice, bob, carol);
    }

    function parameters(Key[] memory keys, uint64 threshold) internal view returns (AccountParameters memory) {
        return AccountParameters(keys.signers(), threshold, false, Signers.list(backup, backup2).signers(), 1);
    }

    function create(AccountParameters memory p) internal returns (ITypedAccount) {
        return ITypedAccount(factory.create(p));
    }

    function registerFor(ITypedAccount publisher, Key[] memory keys) internal returns (bytes32) {
        RegisterMessage memory m = aRegister();
        m.publisher = address(publisher);
        m.name = "hub";
        return register(m, nested(publisher, keys, m.hash(), REGISTER_TYPE));
    }

    // ---- What signers sign -----------------------------------------------------------------------------------------

    function registrySeparator() internal view returns (bytes32) {
        return domainSeparator("Firmproof Registry", "1", block.chainid, address(registry));
    }

    function domainBytes(ITypedAccount at, uint64 epoch_) internal view returns (bytes memory) {
        return abi.encode(
            keccak256("Firmproof Vendor Account"), keccak256("1"), block.chainid, address(at), uint256(epoch_)
        );
    }

    /// @dev The hash of TypedDataSign, in the domain of the registry.
    function nestedDigest(ITypedAccount at, uint64 epoch_, bytes32 separator, bytes32 contents, string memory description)
        internal
        view
        returns (bytes32)
    {
        bytes32 typeHash = keccak256(
            abi.encodePacked(
                "TypedDataSign(",
                nameOf(description),
                " contents,string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)",
                description
            )
        );
        bytes32 structHash = keccak256(abi.encodePacked(typeHash, contents, domainBytes(at, epoch_)));
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }

    function nameOf(string memory description) private pure returns (bytes memory name) {
        bytes memory text = bytes(description);
        uint256 length = 0;
        while (text[length] != "(") ++length;
        name = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            name[i] = text[i];
        }
    }

    function wrap(bytes memory approval, bytes32 separator, bytes32 contents, string memory description)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(approval, separator, contents, description, uint16(bytes(description).length));
    }

    function nested(ITypedAccount at, Key[] memory keys, bytes32 contents, string memory description)
        internal
        view
        returns (bytes memory)
    {
        bytes32 digest = nestedDigest(at, at.signerEpoch(), registrySeparator(), contents, description);
        return wrap(keys.approval(digest), registrySeparator(), contents, description);
    }

    function publishDigest(PublishMessage memory m) internal view returns (bytes32) {
        return nestedDigest(account, account.signerEpoch(), registrySeparator(), m.hash(), PUBLISH_TYPE);
    }

    function publishBy(Key[] memory keys, string memory version) internal {
        PublishMessage memory m = aPublish(version);
        publish(m, nested(account, keys, m.hash(), PUBLISH_TYPE));
    }

    /// @dev Must be refused by the account, and by the registry because of it.
    function refusedPublish(bytes memory approval) internal {
        PublishMessage memory m = aPublish("9.9.9");
        bytes memory signature = wrap(approval, registrySeparator(), m.hash(), PUBLISH_TYPE);
        expectRefused(address(account));
        publish(m, signature);
    }

    // ---- Changes of the account ------------------------------------------------------------------------------------

    function accountDigest(bytes32 structHash) internal view returns (bytes32) {
        bytes32 separator = keccak256(
            abi.encodePacked(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)"
                ),
                domainBytes(account, account.signerEpoch())
            )
        );
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }

    function hashOf(bytes[] memory list) internal pure returns (bytes32) {
        bytes memory hashes;
        for (uint256 i = 0; i < list.length; ++i) {
            hashes = abi.encodePacked(hashes, keccak256(list[i]));
        }
        return keccak256(hashes);
    }

    function signersHash(string memory name, Key[] memory keys, uint64 threshold, uint64 deadline)
        internal
        view
        returns (bytes32)
    {
        return signersHash(name, keys, threshold, false, deadline);
    }

    function signersHash(string memory name, Key[] memory keys, uint64 threshold, bool passkeysAlone, uint64 deadline)
        internal
        view
        returns (bytes32)
    {
        string memory fields = "(bytes[] signers,uint64 threshold,bool passkeysAlone,uint64 epoch,uint64 deadline)";
        return keccak256(
            abi.encode(
                keccak256(abi.encodePacked(name, fields)),
                hashOf(keys.signers()),
                threshold,
                passkeysAlone,
                account.signerEpoch() + 1,
                deadline
            )
        );
    }

    function recoverySetHash(Key[] memory keys, uint64 threshold) internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("SetRecovery(bytes[] signers,uint64 threshold,uint64 epoch,uint64 deadline)"),
                hashOf(keys.signers()),
                threshold,
                account.recoveryEpoch() + 1,
                soon()
            )
        );
    }

    function setSigners(Key[] memory keys, uint64 threshold, Key[] memory current, Key[] memory proving) internal {
        bytes32 digest = accountDigest(signersHash("SetSigners", keys, threshold, soon()));
        bytes memory approval = current.approval(digest);
        bytes memory proof = proving.approval(digest);
        account.setSigners(
            keys.signers(), threshold, false, account.signerEpoch() + 1, soon(), approval, proof
        );
    }

    /// @dev As `setSigners`, but the next call is expected to fail: everything else is asked before.
    function setSignersFails(
        bytes memory errorData,
        Key[] memory keys,
        uint64 threshold,
        Key[] memory current,
        Key[] memory proving
    ) internal {
        bytes32 digest = accountDigest(signersHash("SetSigners", keys, threshold, soon()));
        uint64 next = account.signerEpoch() + 1;
        bytes[] memory list = keys.signers();
        bytes memory approval = current.approval(digest);
        bytes memory proof = proving.approval(digest);
        expectError(errorData);
        account.setSigners(list, threshold, false, next, soon(), approval, proof);
    }

    function setRecovery(Key[] memory keys, uint64 threshold, Key[] memory current) internal {
        bytes memory approval = current.approval(accountDigest(recoverySetHash(keys, threshold)));
        account.setRecovery(keys.signers(), threshold, account.recoveryEpoch() + 1, soon(), approval);
    }

    function scheduleRecovery(Key[] memory keys, uint64 threshold, Key[] memory by) internal returns (uint64 deadline) {
        deadline = soon();
        bytes32 digest = accountDigest(signersHash("Recover", keys, threshold, deadline));
        account.scheduleRecovery(
            keys.signers(), threshold, false, account.signerEpoch() + 1, deadline, by.approval(digest)
        );
    }

    function recover(Key[] memory keys, uint64 threshold, uint64 deadline, Key[] memory proving) internal {
        bytes32 digest = accountDigest(signersHash("Recover", keys, threshold, deadline));
        account.recover(
            keys.signers(), threshold, false, account.signerEpoch() + 1, deadline, proving.approval(digest)
        );
    }

    function cancelRecovery(Key[] memory by) internal {
        (bytes32 pending,) = account.pendingRecovery();
        bytes32 structHash = keccak256(
            abi.encode(keccak256("CancelRecovery(bytes32 pending,uint64 deadline)"), pending, soon())
        );
        account.cancelRecovery(pending, soon(), by.approval(accountDigest(structHash)));
    }
}
