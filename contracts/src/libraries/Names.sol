// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReleaseRegistry} from "../interfaces/IReleaseRegistry.sol";

/// @title Grammar of names, channels and versions
/// @notice One spelling each, in ASCII, so that look-alikes and second spellings cannot exist on chain. What passes
/// fits into one word, left-aligned.
///
///   name    = segment *( ( "-" / "." ) segment )             1 to 31 bytes, for products and channels
///   segment = 1*( a-z / 0-9 )
///   version = number "." number "." number [ "-" identifier *( "." identifier ) ]        at most 31 bytes
///   number  = "0" / ( 1-9 *14( 0-9 ) )                       15 digits stay below 2^53
///   identifier = 1*( 0-9 / A-Z / a-z / "-" )                 without leading zeros when it has digits only
library Names {
    uint256 private constant MAXIMUM_BYTES = 31;
    uint256 private constant MAXIMUM_DIGITS = 15;

    /// @notice The name as one word; reverts when it breaks the grammar.
    function toName(string calldata name) internal pure returns (bytes32 word) {
        uint256 length = bytes(name).length;
        if (length == 0 || length > MAXIMUM_BYTES) revert IReleaseRegistry.InvalidName(name);
        word = bytes32(bytes(name));

        bool separated = true; // nothing yet that a separator could follow
        for (uint256 i = 0; i < length; ++i) {
            bytes1 character = word[i];
            if (_isLowerCase(character) || _isDigit(character)) {
                separated = false;
            } else if (!separated && (character == "-" || character == ".")) {
                separated = true;
            } else {
                revert IReleaseRegistry.InvalidName(name);
            }
        }
        if (separated) revert IReleaseRegistry.InvalidName(name);
    }

    /// @notice The version as one word; reverts when it breaks the grammar.
    function toVersion(string calldata version) internal pure returns (bytes32 word) {
        uint256 length = bytes(version).length;
        if (length > MAXIMUM_BYTES) revert IReleaseRegistry.InvalidVersion(version);
        word = bytes32(bytes(version));

        // Past its length the word holds zero bytes, which no rule accepts: reading there ends every number.
        (bool valid, uint256 end) = _number(word, 0);
        for (uint256 dots = 0; valid && dots < 2; ++dots) {
            valid = word[end] == ".";
            if (valid) (valid, end) = _number(word, end + 1);
        }
        if (valid && end < length) {
            valid = word[end] == "-" && _isPrerelease(word, end + 1, length);
        }
        if (!valid) revert IReleaseRegistry.InvalidVersion(version);
    }

    /// @dev Reads one number of the core and says where it ends.
    function _number(bytes32 word, uint256 start) private pure returns (bool valid, uint256 end) {
        end = start;
        // A version of 31 bytes leaves one zero byte at the end of the word, so this stops inside it.
        while (_isDigit(word[end])) ++end;
        uint256 digits = end - start;
        valid = digits == 1 || (digits > 1 && digits <= MAXIMUM_DIGITS && word[start] != "0");
    }

    /// @dev Whether the bytes from `start` to the end are identifiers with dots between them.
    function _isPrerelease(bytes32 word, uint256 start, uint256 length) private pure returns (bool) {
        bool numeric = true;
        for (uint256 i = start; i < length; ++i) {
            bytes1 character = word[i];
            if (character == ".") {
                if (!_isIdentifier(word, start, i, numeric)) return false;
                start = i + 1;
                numeric = true;
            } else if (_isLowerCase(character) || (character >= "A" && character <= "Z") || character == "-") {
                numeric = false;
            } else if (!_isDigit(character)) {
                return false;
            }
        }
        return _isIdentifier(word, start, length, numeric);
    }

    /// @dev Not empty, and no leading zero in a number.
    function _isIdentifier(bytes32 word, uint256 start, uint256 end, bool numeric) private pure returns (bool) {
        return end == start + 1 || (end > start && !(numeric && word[start] == "0"));
    }

    function _isDigit(bytes1 character) private pure returns (bool) {
        return character >= "0" && character <= "9";
    }

    function _isLowerCase(bytes1 character) private pure returns (bool) {
        return character >= "a" && character <= "z";
    }
}
