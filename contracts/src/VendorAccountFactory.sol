// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountParameters} from "./interfaces/IVendorAccount.sol";
import {VendorAccount} from "./VendorAccount.sol";

/// @title Makes vendor accounts at addresses that are known before
/// @notice The address follows from the first signers alone: the same on every chain, whoever makes it.
contract VendorAccountFactory {
    event AccountCreated(address indexed account);

    /// @notice Makes the account, or answers with it if it is there already.
    function create(AccountParameters calldata parameters) external returns (address account) {
        account = addressOf(parameters);
        if (account.code.length > 0) return account;
        new VendorAccount{salt: _salt(parameters)}(parameters);
        emit AccountCreated(account);
    }

    function addressOf(AccountParameters calldata parameters) public view returns (address) {
        bytes32 initCodeHash = keccak256(abi.encodePacked(type(VendorAccount).creationCode, abi.encode(parameters)));
        bytes32 hash = keccak256(abi.encodePacked(hex"ff", address(this), _salt(parameters), initCodeHash));
        return address(uint160(uint256(hash)));
    }

    function _salt(AccountParameters calldata parameters) private pure returns (bytes32) {
        return keccak256(abi.encode(parameters));
    }
}
