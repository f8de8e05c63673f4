// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev An ERC-1271 account that approves digests one by one, and can misbehave.
contract ContractAccount {
    enum Answer {
        Honest,
        WrongMagic,
        Nothing,
        Short,
        Revert,
        True
    }

    mapping(bytes32 digest => bool) public approved;
    Answer public answer;

    function approve(bytes32 digest) external {
        approved[digest] = true;
    }

    function behave(Answer next) external {
        answer = next;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        if (answer == Answer.WrongMagic) return 0xffffffff;
        if (answer == Answer.Revert) revert("no");
        if (answer == Answer.Nothing) {
            assembly {
                return(0, 0)
            }
        }
        if (answer == Answer.Short) {
            assembly {
                mstore(0, 0x1626ba7e00000000000000000000000000000000000000000000000000000000)
                return(0, 4)
            }
        }
        if (answer == Answer.True) {
            assembly {
                mstore(0, 1)
                return(0, 32)
            }
        }
        return approved[digest] && keccak256(signature) == keccak256("by the account") ? bytes4(0x1626ba7e) : bytes4(0);
    }
}
