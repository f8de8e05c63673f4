// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReleaseRegistry} from "../src/interfaces/IReleaseRegistry.sol";
import {Names} from "../src/libraries/Names.sol";
import {Assertions} from "./support/Assertions.sol";
import {vm} from "./support/Vm.sol";

/// @dev The grammar against a reference that is written in another way: it splits at the separators and looks at the
/// parts, where the library walks over the bytes once.
contract NamesTest is Assertions {
    function toName(string calldata name) external pure returns (bytes32) {
        return Names.toName(name);
    }

    function toVersion(string calldata version) external pure returns (bytes32) {
        return Names.toVersion(version);
    }

    // ---- Reference -------------------------------------------------------------------------------------------------

    function slice(bytes memory text, uint256 from, uint256 to) private pure returns (bytes memory part) {
        part = new bytes(to - from);
        for (uint256 i = from; i < to; ++i) {
            part[i - from] = text[i];
        }
    }

    function split(bytes memory text, bytes1 separator) private pure returns (bytes[] memory parts) {
        uint256 count = 1;
        for (uint256 i = 0; i < text.length; ++i) {
            if (text[i] == separator) ++count;
        }
        parts = new bytes[](count);
        uint256 from = 0;
        uint256 part = 0;
        for (uint256 i = 0; i <= text.length; ++i) {
            if (i == text.length || text[i] == separator) {
                parts[part++] = slice(text, from, i);
                from = i + 1;
            }
        }
    }

    function madeOf(bytes memory text, bytes memory alphabet) private pure returns (bool) {
        for (uint256 i = 0; i < text.length; ++i) {
            bool found = false;
            for (uint256 j = 0; j < alphabet.length; ++j) {
                if (text[i] == alphabet[j]) found = true;
            }
            if (!found) return false;
        }
        return text.length > 0;
    }

    function isName(bytes memory text) private pure returns (bool) {
        if (text.length > 31) return false;
        bytes[] memory outer = split(text, ".");
        for (uint256 i = 0; i < outer.length; ++i) {
            bytes[] memory inner = split(outer[i], "-");
            for (uint256 j = 0; j < inner.length; ++j) {
                if (!madeOf(inner[j], "abcdefghijklmnopqrstuvwxyz0123456789")) return false;
            }
        }
        return true;
    }

    function isNumber(bytes memory text) private pure returns (bool) {
        return madeOf(text, "0123456789") && (text.length == 1 || text[0] != "0");
    }

    function isVersion(bytes memory text) private pure returns (bool) {
        if (text.length > 31) return false;
        uint256 dash = 0;
        while (dash < text.length && text[dash] != "-") ++dash;
        bytes[] memory core = split(slice(text, 0, dash), ".");
        if (core.length != 3) return false;
        for (uint256 i = 0; i < 3; ++i) {
            if (!isNumber(core[i]) || core[i].length > 15) return false;
        }
        if (dash == text.length) return true;
        bytes[] memory identifiers = split(slice(text, dash + 1, text.length), ".");
        for (uint256 i = 0; i < identifiers.length; ++i) {
            if (!madeOf(identifiers[i], "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-")) return false;
            if (madeOf(identifiers[i], "0123456789") && !isNumber(identifiers[i])) return false;
        }
        return true;
    }

    // ---- Comparison ------------------------------------------------------------------------------------------------

    function compareName(string memory name) private view {
        (bool success, bytes memory result) = address(this).staticcall(abi.encodeCall(this.toName, (name)));
        assertTrue(success == isName(bytes(name)), name);
        if (success) assertEqual(abi.decode(result, (bytes32)), bytes32(bytes(name)), name);
        else assertEqual(keccak256(result), keccak256(abi.encodeCall(Errors.InvalidName, (name))), "error");
    }

    function compareVersion(string memory version) private view {
        (bool success, bytes memory result) = address(this).staticcall(abi.encodeCall(this.toVersion, (version)));
        assertTrue(success == isVersion(bytes(version)), version);
        if (success) assertEqual(abi.decode(result, (bytes32)), bytes32(bytes(version)), version);
        else assertEqual(keccak256(result), keccak256(abi.encodeCall(Errors.InvalidVersion, (version))), "error");
    }

    /// @dev Random bytes are almost never near the grammar: draw them from the letters that matter.
    function drawn(bytes memory random, bytes memory alphabet) private pure returns (string memory) {
        for (uint256 i = 0; i < random.length; ++i) {
            random[i] = alphabet[uint8(random[i]) % alphabet.length];
        }
        return string(random);
    }

    function limited(bytes memory text, uint256 length) private pure returns (bytes memory) {
        return text.length > length ? slice(text, 0, length) : text;
    }

    function testFuzz_NamesMatchTheReference(bytes memory random) public view {
        compareName(string(random));
        compareName(drawn(limited(random, 33), "az09-."));
        compareName(drawn(limited(random, 33), "aaaaaaaaaaaaaazzzzzzzz0000099999-.A_"));
        compareName(drawn(limited(random, 6), "a0-."));
    }

    function testFuzz_VersionsMatchTheReference(bytes memory random, uint256 seed) public view {
        compareVersion(string(random));
        compareVersion(drawn(limited(random, 33), "01.-"));
        compareVersion(drawn(limited(random, 8), "01.-aZ+"));
        bytes memory tail = bytes(drawn(limited(random, seed % 28), "0019aZ-.-.+"));
        compareVersion(string(bytes.concat("1.20.0-", tail)));
        compareVersion(string(bytes.concat("1.20.", tail)));
        compareVersion(string(bytes.concat(tail, ".0.0")));
    }

    function testFuzz_OneStrangeByteIsEnough(uint8 position, bytes1 strange) public view {
        bytes memory name = "abcdefg-hijk.0123456789";
        name[position % name.length] = strange;
        compareName(string(name));
        bytes memory version = "1.20.300-beta.1-a.0";
        version[position % version.length] = strange;
        compareVersion(string(version));
    }

    function test_ValidNames() public view {
        string[8] memory names =
            ["a", "0", "lamp", "hub-2", "a.b-c", "stable", "1234567890123456789012345678901", "eu.west-1.beta"];
        for (uint256 i = 0; i < names.length; ++i) {
            assertTrue(isName(bytes(names[i])), names[i]);
            compareName(names[i]);
        }
    }

    function test_InvalidNames() public view {
        string[14] memory names = [
            "",
            "-a",
            "a-",
            ".a",
            "a.",
            "a--b",
            "a..b",
            "a.-b",
            "A",
            "a b",
            "a_b",
            unicode"lаmp", // the second letter is Cyrillic
            "a/b",
            "12345678901234567890123456789012"
        ];
        for (uint256 i = 0; i < names.length; ++i) {
            assertTrue(!isName(bytes(names[i])), names[i]);
            compareName(names[i]);
        }
        compareName(string(hex"6100")); // a trailing zero byte is not padding
    }

    function test_ValidVersions() public view {
        string[9] memory versions = [
            "0.0.0",
            "7.28.0",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-0.3.7",
            "1.0.0--",
            "1.0.0-0a",
            "999999999999999.0.0",
            "1.0.0-abcdefghijklmnopqrstuvwxy"
        ];
        for (uint256 i = 0; i < versions.length; ++i) {
            assertTrue(isVersion(bytes(versions[i])), versions[i]);
            compareVersion(versions[i]);
        }
    }

    function test_InvalidVersions() public view {
        string[20] memory versions = [
            "",
            "1",
            "1.0",
            "1.0.0.0",
            "v1.0.0",
            "01.0.0",
            "1.00.0",
            "1.0.01",
            "1.0.0-",
            "1.0.0-.",
            "1.0.0-a..b",
            "1.0.0-a.",
            "1.0.0-01",
            "1.0.0-a.00",
            "1.0.0+build",
            "1.0.0-a+b",
            "9007199254740993.0.0",
            "1.0.0 ",
            "-1.0.0",
            "1.0.0-abcdefghijklmnopqrstuvwxyz"
        ];
        for (uint256 i = 0; i < versions.length; ++i) {
            assertTrue(!isVersion(bytes(versions[i])), versions[i]);
            compareVersion(versions[i]);
        }
        compareVersion(string(hex"312e302e3000"));
    }
}

/// @dev abi.encodeCall takes functions only; an error is encoded the same way.
interface Errors {
    function InvalidName(string calldata) external;
    function InvalidVersion(string calldata) external;
}
