// solc from npm, with the settings of foundry.toml, so that what is deployed is what is tested.
import { readFileSync } from 'node:fs';
import solc from 'solc';

interface StorageEntry {
  label: string;
  slot: string;
  offset: number;
  type: string;
}

export interface StorageLayout {
  storage: StorageEntry[];
  types: Record<string, { label: string; numberOfBytes: string; members?: StorageEntry[] }>;
}

export interface CompiledContract {
  abi: unknown[];
  /** Creation code in hexadecimal, without 0x. */
  bytecode: string;
  storageLayout: StorageLayout;
  compiler: string;
}

interface CompilerOutput {
  errors?: { severity: string; formattedMessage: string }[];
  contracts?: Record<
    string,
    Record<string, { abi: unknown[]; evm: { bytecode: { object: string } }; storageLayout: StorageLayout }>
  >;
}

const contractsFolder = new URL('../', import.meta.url);
const remapped = ['@openzeppelin/contracts/', '../node_modules/@openzeppelin/contracts/'] as const;

function read(path: string): string {
  return readFileSync(new URL(path, contractsFolder), 'utf8');
}

/** One value of foundry.toml: of the profile that compiles what is deployed, else of the line that sets it for all. */
function foundrySetting(name: string): string {
  const settings = read('foundry.toml');
  const profile = /^additional_compiler_profiles = \[\{ name = "deployed"(.*)\}\]$/m.exec(settings)?.[1];
  if (profile === undefined) throw new Error('foundry.toml has no compiler profile for deployed contracts');
  const value =
    new RegExp(`, ${name} = "?([^", }]*)`).exec(profile)?.[1] ??
    new RegExp(`^${name} = "?([^"\\n]*)"?$`, 'm').exec(settings)?.[1];
  if (value === undefined) throw new Error(`foundry.toml does not set ${name}`);
  return value;
}

/** @param source Path below contracts/, or of a package: `@openzeppelin/contracts/…`. */
export function compileContract(source: string): CompiledContract {
  const name = source.slice(source.lastIndexOf('/') + 1).replace('.sol', '');
  const input = {
    language: 'Solidity',
    sources: { [source]: { content: read(source.replace(...remapped)) } },
    settings: {
      evmVersion: foundrySetting('evm_version'),
      viaIR: foundrySetting('via_ir') === 'true',
      optimizer: { enabled: foundrySetting('optimizer') === 'true', runs: Number(foundrySetting('optimizer_runs')) },
      metadata: {
        bytecodeHash: foundrySetting('bytecode_hash'),
        appendCBOR: foundrySetting('cbor_metadata') === 'true',
      },
      remappings: [remapped.join('=')],
      outputSelection: { [source]: { [name]: ['abi', 'evm.bytecode.object', 'storageLayout'] } },
    },
  };
  const readImport = (path: string) => ({ contents: read(path.replace(...remapped)) });
  const output: CompilerOutput = JSON.parse(solc.compile(JSON.stringify(input), { import: readImport }));

  const failures = (output.errors ?? []).filter((problem) => problem.severity === 'error');
  if (failures.length > 0) throw new Error(failures.map((problem) => problem.formattedMessage).join('\n'));
  const contract = output.contracts?.[source]?.[name];
  if (contract === undefined) throw new Error(`the compiler returned no ${name} from ${source}`);
  return {
    abi: contract.abi,
    bytecode: contract.evm.bytecode.object,
    storageLayout: contract.storageLayout,
    compiler: solc.version(),
  };
}
