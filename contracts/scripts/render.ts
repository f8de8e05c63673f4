// The text of contracts/generated/release-registry.ts.
import { compileRegistry, type StorageLayout } from './compile.ts';

function describeLayout(layout: StorageLayout) {
  const fields = (entries: StorageLayout['storage']) =>
    entries.map((entry) => ({
      label: entry.label,
      slot: Number(entry.slot),
      offset: entry.offset,
      bytes: Number(layout.types[entry.type]?.numberOfBytes),
    }));
  const struct = (name: string) => {
    const type = Object.values(layout.types).find((candidate) => candidate.label === `struct ${name}`);
    if (type?.members === undefined) throw new Error(`the compiler reports no layout for struct ${name}`);
    return fields(type.members);
  };
  return {
    variables: fields(layout.storage),
    product: struct('Product'),
    head: struct('Head'),
    release: struct('Release'),
  };
}

export function renderRegistry(): string {
  const { abi, bytecode, storageLayout, compiler } = compileRegistry();
  return [
    `// Written by contracts/scripts/build.ts with solc ${compiler}. Do not edit: npm run build:contracts.`,
    '',
    `export const releaseRegistryAbi = ${JSON.stringify(abi, null, 2)} as const;`,
    '',
    '/** Creation code. The constructor takes no arguments. */',
    `export const releaseRegistryBytecode =\n  '0x${bytecode}';`,
    '',
    '/** Where everything lies in storage: slots of the structs count from the start of the struct. */',
    `export const releaseRegistryStorageLayout = ${JSON.stringify(describeLayout(storageLayout), null, 2)} as const;`,
    '',
  ].join('\n');
}
