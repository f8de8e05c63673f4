// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReleaseRegistry, Product, Head, Release} from "../../src/interfaces/IReleaseRegistry.sol";
import {Assertions} from "./Assertions.sol";
import {
    AcceptMessage,
    ConfigureMessage,
    HaltMessage,
    Messages,
    PromoteMessage,
    PublishMessage,
    RegisterMessage,
    RevokeMessage,
    VetoMessage
} from "./Messages.sol";
import {Vm, vm} from "./Vm.sol";

/// @dev A registry, the people around it, and one line for each thing they do. `register(message, approval)` and its
/// like submit a message; `signed(key, hash)` makes an approval; `aPublish()` and its like are messages that would
/// succeed, for a test to spoil.
///
/// Time and block number are read through cheat codes: the optimizer takes TIMESTAMP for a constant of the call.
abstract contract RegistryTest is Assertions {
    using Messages for *;

    uint256 internal constant PUBLISHER_KEY = uint256(keccak256("publisher"));
    uint256 internal constant GUARDIAN_KEY = uint256(keccak256("guardian"));
    uint256 internal constant STRANGER_KEY = uint256(keccak256("stranger"));
    uint256 internal constant SUCCESSOR_KEY = uint256(keccak256("successor"));

    uint24 internal constant DELAY = 2 days;
    bytes32 internal constant TRUST_ROOT = keccak256("trust root");
    bytes32 internal constant IMAGE = keccak256("image");
    bytes32 internal constant ATTESTATION = keccak256("attestation");

    IReleaseRegistry internal registry;
    bytes32 internal product;
    address internal publisher;
    address internal guardian;
    address internal stranger;
    address internal successor;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        vm.roll(1000);
        publisher = vm.addr(PUBLISHER_KEY);
        guardian = vm.addr(GUARDIAN_KEY);
        stranger = vm.addr(STRANGER_KEY);
        successor = vm.addr(SUCCESSOR_KEY);
        registry = deployRegistry();
        product = register(aRegister());
    }

    function deployRegistry() internal returns (IReleaseRegistry) {
        return IReleaseRegistry(vm.deployCode("ReleaseRegistry.sol:ReleaseRegistry"));
    }

    // ---- Time ------------------------------------------------------------------------------------------------------

    function time() internal view returns (uint40) {
        return uint40(vm.getBlockTimestamp());
    }

    function pass(uint256 duration) internal {
        vm.warp(vm.getBlockTimestamp() + duration);
        vm.roll(vm.getBlockNumber() + 1 + duration / 12);
    }

    function soon() internal view returns (uint64) {
        return uint64(vm.getBlockTimestamp() + 1 hours);
    }

    // ---- Approvals -------------------------------------------------------------------------------------------------

    function domainSeparator(string memory name, string memory version, uint256 chain, address verifier)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name)),
                keccak256(bytes(version)),
                chain,
                verifier
            )
        );
    }

    function digestOf(bytes32 structHash) internal view returns (bytes32) {
        bytes32 separator = domainSeparator("Firmproof Registry", "1", block.chainid, address(registry));
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }

    function signed(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
        return signedDigest(key, digestOf(structHash));
    }

    function signedDigest(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    // ---- Messages that would succeed -------------------------------------------------------------------------------

    function aRegister() internal view returns (RegisterMessage memory) {
        return RegisterMessage(publisher, "lamp", guardian, DELAY, TRUST_ROOT, 0, soon());
    }

    function aPublish() internal view returns (PublishMessage memory) {
        return PublishMessage(product, "7.28.0", IMAGE, ATTESTATION, 0, epoch(), soon());
    }

    function aPublish(string memory version) internal view returns (PublishMessage memory message) {
        message = aPublish();
        message.version = version;
    }

    function aPromote() internal view returns (PromoteMessage memory) {
        uint32 counter = registry.head(product, "stable").counter + 1;
        return PromoteMessage(product, "stable", "7.28.0", counter, time(), 7 days, 500, epoch(), soon());
    }

    function aRevoke() internal view returns (RevokeMessage memory) {
        return RevokeMessage(product, "7.28.0", soon());
    }

    function aHalt() internal view returns (HaltMessage memory) {
        return HaltMessage(product, "stable", registry.head(product, "stable").halts + 1, soon());
    }

    /// @dev Changes nothing: spoil what the test is about.
    function aConfigure() internal view returns (ConfigureMessage memory) {
        return ConfigureMessage(product, publisher, guardian, DELAY, TRUST_ROOT, epoch(), soon());
    }

    function aVeto() internal view returns (VetoMessage memory) {
        return VetoMessage(product, registry.product(product).pending, soon());
    }

    function epoch() internal view returns (uint32) {
        return registry.product(product).epoch;
    }

    // ---- Submitting ------------------------------------------------------------------------------------------------

    function register(RegisterMessage memory m, bytes memory approval) internal returns (bytes32) {
        return registry.register(
            m.publisher, m.name, m.guardian, m.delay, m.trustRoot, m.predecessor, m.deadline, approval
        );
    }

    function register(RegisterMessage memory m) internal returns (bytes32) {
        return register(m, signed(PUBLISHER_KEY, m.hash()));
    }

    function publish(PublishMessage memory m, bytes memory approval) internal {
        registry.publish(
            m.product, m.version, m.image, m.attestation, m.rollbackIndex, m.epoch, m.deadline, approval
        );
    }

    function publish(PublishMessage memory m) internal {
        publish(m, signed(PUBLISHER_KEY, m.hash()));
    }

    function promote(PromoteMessage memory m, bytes memory approval) internal {
        registry.promote(
            m.product,
            m.channel,
            m.version,
            m.counter,
            m.start,
            m.duration,
            m.firstShare,
            m.epoch,
            m.deadline,
            approval
        );
    }

    function promote(PromoteMessage memory m) internal {
        promote(m, signed(PUBLISHER_KEY, m.hash()));
    }

    function revoke(RevokeMessage memory m, address approver, bytes memory approval) internal {
        registry.revoke(m.product, m.version, m.deadline, approver, approval);
    }

    function revoke(RevokeMessage memory m, uint256 key) internal {
        revoke(m, vm.addr(key), signed(key, m.hash()));
    }

    function halt(HaltMessage memory m, address approver, bytes memory approval) internal {
        registry.halt(m.product, m.channel, m.halts, m.deadline, approver, approval);
    }

    function halt(HaltMessage memory m, uint256 key) internal {
        halt(m, vm.addr(key), signed(key, m.hash()));
    }

    function configure(ConfigureMessage memory m, bytes memory approval) internal {
        registry.configure(m.product, m.publisher, m.guardian, m.delay, m.trustRoot, m.epoch, m.deadline, approval);
    }

    function configure(ConfigureMessage memory m) internal {
        configure(m, signed(PUBLISHER_KEY, m.hash()));
    }

    function applyConfiguration(ConfigureMessage memory m, uint64 acceptDeadline, bytes memory acceptance) internal {
        registry.applyConfiguration(
            m.product,
            m.publisher,
            m.guardian,
            m.delay,
            m.trustRoot,
            m.epoch,
            m.deadline,
            acceptDeadline,
            acceptance
        );
    }

    function applyConfiguration(ConfigureMessage memory m) internal {
        applyConfiguration(m, 0, "");
    }

    function veto(VetoMessage memory m, bytes memory approval) internal {
        registry.veto(m.product, m.pending, m.deadline, approval);
    }

    function veto(VetoMessage memory m) internal {
        veto(m, signed(GUARDIAN_KEY, m.hash()));
    }

    /// @dev The product passes to the successor.
    function handOver() internal {
        ConfigureMessage memory m = aConfigure();
        m.publisher = successor;
        configure(m);
        pass(DELAY);
        AcceptMessage memory a = AcceptMessage(product, successor, epoch(), soon());
        applyConfiguration(m, a.deadline, signed(SUCCESSOR_KEY, a.hash()));
    }

    // ---- Values ----------------------------------------------------------------------------------------------------

    function bounded(uint256 value, uint256 lowest, uint256 highest) internal pure returns (uint256) {
        return value >= lowest && value <= highest ? value : lowest + value % (highest - lowest + 1);
    }

    /// @dev Topics and data, as the history hash takes them.
    function rawOf(Vm.Log memory log) internal pure returns (bytes memory) {
        return abi.encodePacked(log.topics, log.data);
    }

    // ---- Expectations ----------------------------------------------------------------------------------------------

    /// @dev Exact: selector and arguments. Call it right before the submission, approvals made beforehand.
    function expectError(bytes memory errorData) internal {
        vm.expectRevert(errorData);
    }

    function expectRefused(address signer) internal {
        vm.expectRevert(abi.encodeWithSelector(IReleaseRegistry.ApprovalRefused.selector, signer));
    }
}
