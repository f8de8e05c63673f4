// What recording a release costs: gas of the whole transaction, calldata included, beside an attestation of the Ethereum
// Attestation Service with the same fields. On the embedded chain; each figure is of a second transaction of its kind.
import { randomBytes } from 'node:crypto';
import { releaseRegistryAbi } from '@firmproof/contracts';
import {
  type ActionMessage,
  type Address,
  parseAddress,
  parseBytes32,
  parseProductName,
  productIdOf,
  toHex,
  zeroAddress,
  zeroBytes32,
} from '@firmproof/protocol';
import { actionTypedData, typedDataHash } from '@firmproof/protocol/approval';
import { AbiCoder, Contract, ContractFactory, type ContractTransactionResponse, Signature, Wallet } from 'ethers';
import { withRelayer } from '../test/support/relayer.ts';
import { destroyStack, startStack } from '../test/support/stack.ts';
import {
  approveAction,
  deployAccount,
  mixedTeam,
  p256Signer,
  parametersOf,
  type TeamSigner,
  walletSigner,
} from '../test/support/team.ts';
import { type Compiled, compileEas, releasedEas } from './eas.ts';
import { figure } from './figure.ts';

const stack = await startStack();
const { info } = stack;
const anyWord = () => parseBytes32(toHex(randomBytes(32)));
const deadline = Math.floor(Date.now() / 1000) + 3600;

/** Approves for a publisher. */
type Approve = <Name extends 'Register' | 'Publish'>(action: Name, message: ActionMessage<Name>) => `0x${string}`;

async function gasOf(contract: Contract, name: string, args: readonly unknown[]): Promise<number> {
  const transaction = (await contract.getFunction(name)(...args)) as ContractTransactionResponse;
  return Number((await transaction.wait())?.gasUsed);
}

/** The second release of a product of this publisher's. */
async function publishGas(relayer: Wallet, publisher: Address, approve: Approve): Promise<number> {
  const registry = new Contract(info.registry, releaseRegistryAbi, relayer);
  const name = parseProductName('prime-hub');
  const registration = { publisher, name, guardian: zeroAddress, delay: 0, trustRoot: anyWord() };
  const register = { ...registration, predecessor: zeroBytes32, deadline };
  await gasOf(registry, 'register', [...Object.values(register), approve('Register', register)]);
  const product = productIdOf(info.chainId, info.registry, publisher, name);
  const publish = (version: string, rollbackIndex: number) => {
    const [image, attestation] = [anyWord(), anyWord()];
    const message = { product, version, image, attestation, rollbackIndex, epoch: 1, deadline } as never;
    return gasOf(registry, 'publish', [...Object.values(message), approve('Publish', message)]);
  };
  await publish('7.27.0', 0);
  return publish('7.28.0', 1);
}

async function teamGas(relayer: Wallet, signers: readonly TeamSigner[], threshold: number): Promise<number> {
  const account = await deployAccount(stack, parametersOf(signers, threshold));
  const by = signers.slice(0, threshold);
  return publishGas(relayer, account, (action, message) =>
    approveAction(info, { account, epoch: 1 }, by, action, message),
  );
}

function oneKeyGas(relayer: Wallet): Promise<number> {
  const key = walletSigner();
  return publishGas(relayer, parseAddress(key.wallet.address), (action, message) =>
    key.sign(typedDataHash(actionTypedData(info, action, message))),
  );
}

const schema = 'bytes32 product,string version,bytes32 image,bytes32 attestation,uint32 rollbackIndex';

/** The second attestation of a release: sent by the attester itself, and relayed with the attester's signature. */
async function easGas(relayer: Wallet, compiled: (name: 'EAS' | 'SchemaRegistry') => Compiled) {
  const deploy = async (name: 'EAS' | 'SchemaRegistry', ...args: readonly unknown[]) => {
    const { abi, bytecode } = compiled(name);
    const contract = await new ContractFactory(abi, bytecode, relayer).deploy(...args);
    return (await contract.waitForDeployment()) as Contract;
  };
  const schemas = await deploy('SchemaRegistry');
  const eas = await deploy('EAS', schemas.target);
  const uid = await schemas.getFunction('register').staticCall(schema, zeroAddress, true);
  await gasOf(schemas, 'register', [schema, zeroAddress, true]);
  const types = schema.split(',').map((field) => field.split(' ')[0] ?? '');
  const attested = (version: string, rollbackIndex: number) => {
    const values = [anyWord(), version, anyWord(), anyWord(), rollbackIndex];
    const data = AbiCoder.defaultAbiCoder().encode(types, values);
    return { recipient: zeroAddress, expirationTime: 0, revocable: true, refUID: zeroBytes32, data, value: 0 };
  };
  const attest = (version: string, rollbackIndex: number) =>
    gasOf(eas, 'attest', [{ schema: uid, data: attested(version, rollbackIndex) }]);
  const attester = new Wallet(toHex(randomBytes(32)));
  const relayed = async (version: string, rollbackIndex: number) => {
    const data = attested(version, rollbackIndex);
    const nonce = await eas.getFunction('getNonce')(attester.address);
    const message = { attester: attester.address, schema: uid, ...data, nonce, deadline };
    const domain = { name: 'EAS', version: await eas.getFunction('version')(), chainId: info.chainId };
    const signature = await attester.signTypedData(
      { ...domain, verifyingContract: String(eas.target) },
      delegatedTypes,
      message,
    );
    const { v, r, s } = Signature.from(signature);
    const request = { schema: uid, data, signature: { v, r, s }, attester: attester.address, deadline };
    return gasOf(eas, 'attestByDelegation', [request]);
  };
  await attest('7.27.0', 0);
  await relayed('7.27.0', 0);
  return { attest: await attest('7.28.0', 1), relayed: await relayed('7.28.0', 1) };
}

const delegatedTypes = {
  Attest: [
    { name: 'attester', type: 'address' },
    { name: 'schema', type: 'bytes32' },
    { name: 'recipient', type: 'address' },
    { name: 'expirationTime', type: 'uint64' },
    { name: 'revocable', type: 'bool' },
    { name: 'refUID', type: 'bytes32' },
    { name: 'data', type: 'bytes' },
    { name: 'value', type: 'uint256' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint64' },
  ],
};

try {
  await withRelayer(stack, stack.directory, async (relayer) => {
    const ours = {
      'one-key': await oneKeyGas(relayer),
      'two-of-three-p256': await teamGas(relayer, [p256Signer(), p256Signer(), p256Signer()], 2),
      'wallet-p256-passkey': await teamGas(relayer, mixedTeam(), 3),
    };
    const compiled = await easGas(relayer, compileEas);
    const released = await easGas(relayer, releasedEas);
    const eas = { ...compiled, released: released.attest };
    for (const [name, gas] of Object.entries(eas)) figure(`gas.eas.${name}`, gas, 'gas');
    for (const [name, gas] of Object.entries(ours)) {
      figure(`gas.publish.${name}`, gas, 'gas');
      figure(`gas.publish.${name}-to-eas-attest`, gas / compiled.attest, 'ratio');
    }
  });
} finally {
  await destroyStack(stack);
}
