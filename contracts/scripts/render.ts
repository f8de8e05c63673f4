// The text of the files in contracts/generated/.
import { getCreate2Address, keccak256, ZeroHash } from 'ethers';
import { type CompiledContract, compileContract, type StorageLayout } from './compile.ts';

/** Is at this address on nearly every chain, and on anvil. */
const deploymentProxy = '0x4e59b44847b379578588920cA78FbF26c0B4956C';

const verifiers = '@openzeppelin/contracts/utils/cryptography/verifiers';

/** Of the variables, and of structs by the names that they get here. */
function describeLayout(layout: StorageLayout, structs: Readonly<Record<string, string>>) {
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
  const described = Object.entries(structs).map(([name, label]) => [name, struct(label)] as const);
  return { variables: fields(layout.storage), ...Object.fromEntries(described) };
}

const layoutOf = (name: string, { storageLayout }: CompiledContract, structs: Readonly<Record<string, string>>) =>
  `export const ${name}StorageLayout = ${JSON.stringify(describeLayout(storageLayout, structs), null, 2)} as const;`;

const header = (compiler: string) =>
  `// Written by contracts/scripts/build.ts with solc ${compiler}. Do not edit: npm run build:contracts.`;

const abiOf = (name: string, { abi }: CompiledContract) =>
  `export const ${name}Abi = ${JSON.stringify(abi, null, 2)} as const;`;
const bytecodeOf = (name: string, { bytecode }: CompiledContract) =>
  `export const ${name}Bytecode =\n  '0x${bytecode}';`;

/** Where the proxy puts it with salt 0. */
const addressOf = ({ bytecode }: CompiledContract) =>
  getCreate2Address(deploymentProxy, ZeroHash, keccak256(`0x${bytecode}`));

function renderRegistry(): string {
  const registry = compileContract('src/ReleaseRegistry.sol');
  return [
    header(registry.compiler),
    '',
    abiOf('releaseRegistry', registry),
    '',
    '/** Creation code. The constructor takes no arguments. */',
    bytecodeOf('releaseRegistry', registry),
    '',
    '/** Where everything lies in storage: slots of the structs count from the start of the struct. */',
    layoutOf('releaseRegistry', registry, { product: 'Product', head: 'Head', release: 'Release' }),
    '',
  ].join('\n');
}

function renderAccount(): string {
  const account = compileContract('src/VendorAccount.sol');
  const factory = compileContract('src/VendorAccountFactory.sol');
  const p256 = compileContract(`${verifiers}/ERC7913P256Verifier.sol`);
  const webAuthn = compileContract(`${verifiers}/ERC7913WebAuthnVerifier.sol`);
  return [
    header(account.compiler),
    '',
    abiOf('vendorAccount', account),
    '',
    abiOf('vendorAccountFactory', factory),
    '',
    '/** Creation code of an account, without the encoded parameters that follow it. */',
    bytecodeOf('vendorAccount', account),
    '',
    bytecodeOf('vendorAccountFactory', factory),
    '',
    bytecodeOf('p256Verifier', p256),
    '',
    bytecodeOf('webAuthnVerifier', webAuthn),
    '',
    '/** Where the deployment proxy puts them with salt 0, on every chain. */',
    `export const deploymentProxyAddress = '${deploymentProxy.toLowerCase()}';`,
    `export const vendorAccountFactoryAddress = '${addressOf(factory).toLowerCase()}';`,
    `export const p256VerifierAddress = '${addressOf(p256).toLowerCase()}';`,
    `export const webAuthnVerifierAddress = '${addressOf(webAuthn).toLowerCase()}';`,
    '',
  ].join('\n');
}

function renderAnchor(): string {
  const anchor = compileContract('src/DeviceAnchor.sol');
  return [
    header(anchor.compiler),
    '',
    abiOf('deviceAnchor', anchor),
    '',
    '/** Creation code. The constructor takes no arguments. */',
    bytecodeOf('deviceAnchor', anchor),
    '',
    '/** Where the deployment proxy puts it with salt 0, on every chain. */',
    `export const deviceAnchorAddress = '${addressOf(anchor).toLowerCase()}';`,
    '',
    '/** Where everything lies in storage: slots of the structs count from the start of the struct. */',
    layoutOf('deviceAnchor', anchor, { devices: 'Devices', batch: 'Batch' }),
    '',
  ].join('\n');
}

/** Every generated file by its name. */
export const rendered: Readonly<Record<string, () => string>> = {
  'release-registry.ts': renderRegistry,
  'vendor-account.ts': renderAccount,
  'device-anchor.ts': renderAnchor,
};
