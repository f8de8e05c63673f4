import { readFileSync } from 'node:fs';
import { Interface, type InterfaceAbi } from 'ethers';
import solc from 'solc';

const modules = new URL('../node_modules/', import.meta.url);
const folder = '@ethereum-attestation-service/eas-contracts';

export type Compiled = { readonly abi: InterfaceAbi; readonly bytecode: string };

/** The sources name one version of the compiler exactly; here they take the one that compiles the registry too. */
const readSource = (path: string) =>
  readFileSync(new URL(path, modules), 'utf8').replace(/^pragma solidity 0\.8\.\d+;/m, 'pragma solidity ^0.8.0;');

/** EAS from the sources of its npm package, with the compiler and the settings that the registry is deployed with. */
export function compileEas(name: 'EAS' | 'SchemaRegistry'): Compiled {
  const path = `${folder}/contracts/${name}.sol`;
  const input = {
    language: 'Solidity',
    sources: { [path]: { content: readSource(path) } },
    settings: {
      evmVersion: 'osaka',
      viaIR: true,
      optimizer: { enabled: true, runs: 1_000_000 },
      outputSelection: { [path]: { [name]: ['abi', 'evm.bytecode.object'] } },
    },
  };
  const output = JSON.parse(
    solc.compile(JSON.stringify(input), { import: (other: string) => ({ contents: readSource(other) }) }),
  );
  const found = output.contracts?.[path]?.[name];
  if (!found?.evm.bytecode.object) throw new Error(`${name} does not compile: ${JSON.stringify(output.errors)}`);
  return { abi: Interface.from(found.abi).fragments, bytecode: found.evm.bytecode.object };
}

/** EAS as its makers have compiled it. */
export function releasedEas(name: 'EAS' | 'SchemaRegistry'): Compiled {
  const path = `${folder}/artifacts/contracts/${name}.sol/${name}.json`;
  return JSON.parse(readFileSync(new URL(path, modules), 'utf8'));
}
