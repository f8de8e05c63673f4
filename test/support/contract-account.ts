import { type Address, parseAddress } from '@firmproof/protocol';
import { ContractFactory, type InterfaceAbi } from 'ethers';
import solc from 'solc';
import { withRelayer } from './relayer.ts';
import type { Stack } from './stack.ts';

/** An ERC-1271 account with one owner. */
const source = `// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;
contract Account {
    address immutable owner;
    constructor(address signer) { owner = signer; }
    function isValidSignature(bytes32 digest, bytes calldata s) external view returns (bytes4) {
        return ecrecover(digest, uint8(s[64]), bytes32(s[0:32]), bytes32(s[32:64])) == owner ? bytes4(0x1626ba7e) : bytes4(0);
    }
}`;

function compile(): { readonly abi: InterfaceAbi; readonly bytecode: string } {
  const input = {
    language: 'Solidity',
    sources: { 'Account.sol': { content: source } },
    settings: { outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } },
  };
  const { abi, evm } = JSON.parse(solc.compile(JSON.stringify(input))).contracts['Account.sol'].Account;
  return { abi, bytecode: evm.bytecode.object };
}

/** Deploys the account on the stack's chain. */
export async function deployContractAccount(stack: Stack, owner: string): Promise<Address> {
  return withRelayer(stack, stack.directory, async (relayer) => {
    const { abi, bytecode } = compile();
    const contract = await new ContractFactory(abi, bytecode, relayer).deploy(owner);
    await contract.deploymentTransaction()?.wait();
    return parseAddress(String(contract.target));
  });
}
