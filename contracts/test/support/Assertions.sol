// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev A failed assertion reverts with both values.
abstract contract Assertions {
    error NotTrue(string what);
    error NotEqual(string what, bytes32 actual, bytes32 expected);
    error TooMuch(string what, uint256 actual, uint256 limit);

    function assertTrue(bool condition, string memory what) internal pure {
        if (!condition) revert NotTrue(what);
    }

    function assertEqual(bytes32 actual, bytes32 expected, string memory what) internal pure {
        if (actual != expected) revert NotEqual(what, actual, expected);
    }

    function assertEqual(uint256 actual, uint256 expected, string memory what) internal pure {
        assertEqual(bytes32(actual), bytes32(expected), what);
    }

    function assertEqual(address actual, address expected, string memory what) internal pure {
        assertEqual(uint256(uint160(actual)), uint256(uint160(expected)), what);
    }

    function assertAtMost(uint256 actual, uint256 limit, string memory what) internal pure {
        if (actual > limit) revert TooMuch(what, actual, limit);
    }
}
