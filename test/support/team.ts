import { createHash, generateKeyPairSync, type KeyObject, sign as signDer } from 'node:crypto';
import { vendorAccountAddress, vendorAccountFactoryAbi, vendorAccountFactoryAddress } from '@firmproof/contracts';
import {
  type AccountParameters,
  type ActionMessage,
  type ActionName,
  type Address,
  type Bytes32,
  fromHex,
  parseAddress,
  parseSigner,
  type Signer,
  type SignerKind,
  signerOfPoint,
  toHex,
} from '@firmproof/protocol';
import {
  type AccountActionMessage,
  type AccountActionName,
  type AccountAtEpoch,
  accountTypedData,
  actionTypedData,
  encodeApprovals,
  encodePasskeySignature,
  nestedTypedData,
  type RegistryAddress,
  type SignerApproval,
  type TypedData,
  typedDataHash,
  wrapApprovals,
} from '@firmproof/protocol/approval';
import { p256 } from '@noble/curves/nist.js';
import { SigningKey, Wallet } from 'ethers';
import { call } from './relayer.ts';
import type { Stack } from './stack.ts';

/** A key of a vendor account's, in software. */
export type TeamSigner = {
  readonly kind: SignerKind;
  readonly signer: Signer;
  /** Signs a hash, in the form that the account takes from this kind. */
  sign(hash: Bytes32): `0x${string}`;
};

export function walletSigner(
  wallet: { readonly address: string; readonly privateKey: string } = Wallet.createRandom(),
) {
  const key = new SigningKey(wallet.privateKey);
  return {
    kind: 'wallet',
    wallet,
    signer: parseSigner(`wallet:${wallet.address}`),
    sign: (hash) => key.sign(hash).serialized as `0x${string}`,
  } as const satisfies TeamSigner & { wallet: unknown };
}

function p256Key(kind: 'p256' | 'passkey') {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const point = publicKey.export({ format: 'der', type: 'spki' }).subarray(-65);
  return { privateKey, signer: signerOfPoint(kind, point) };
}

/** As a hardware key does: signs the hash as it is, s low. `privateKey` is Node's, for the tools that want a file. */
export function p256Signer() {
  const { privateKey, signer } = p256Key('p256');
  const secret = Buffer.from(String(privateKey.export({ format: 'jwk' }).d), 'base64url');
  return {
    kind: 'p256',
    privateKey,
    signer,
    sign: (hash) => toHex(p256.sign(fromHex(hash), secret, { prehash: false, lowS: true, format: 'compact' })),
  } as const satisfies TeamSigner & { privateKey: KeyObject };
}

/** What a browser and an authenticator say, changed where a test wants it. */
export type Ceremony = {
  readonly flags: number;
  readonly type: string;
  readonly challenge: Bytes32;
  readonly origin: string;
  /** More members of the client data, after the usual ones. */
  readonly extra: object;
};

const presentAndVerified = 0x05;

/** A software authenticator: signs authenticator data and client data, in DER with any s, as real ones do. */
export function passkeySigner(origin = 'https://approve.example') {
  const { privateKey, signer } = p256Key('passkey');
  const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest();
  function assert(hash: Bytes32, change: Partial<Ceremony> = {}) {
    const said = { flags: presentAndVerified, type: 'webauthn.get', challenge: hash, origin, extra: {}, ...change };
    const counter = Buffer.alloc(4);
    const authenticatorData = Buffer.concat([
      sha256(new URL(said.origin).hostname),
      Buffer.from([said.flags]),
      counter,
    ]);
    const challenge = Buffer.from(fromHex(said.challenge)).toString('base64url');
    const clientData = { type: said.type, challenge, origin: said.origin, crossOrigin: false, ...said.extra };
    const clientDataJson = Buffer.from(JSON.stringify(clientData));
    const signature = signDer('sha256', Buffer.concat([authenticatorData, sha256(clientDataJson)]), privateKey);
    return { signature, authenticatorData, clientDataJson };
  }
  return {
    kind: 'passkey',
    privateKey,
    signer,
    assert,
    sign: (hash) => encodePasskeySignature(assert(hash)),
  } as const satisfies TeamSigner & { assert: unknown; privateKey: KeyObject };
}

/** One wallet, one P-256 key, one passkey. */
export function mixedTeam() {
  return [walletSigner(), p256Signer(), passkeySigner()] as const;
}

/** What these sign of it, each for itself. */
export function approvalsBy(signers: readonly TeamSigner[], typed: TypedData): SignerApproval[] {
  const hash = typedDataHash(typed);
  return signers.map(({ signer, sign }) => ({ signer, signature: sign(hash) }));
}

/** What each signer of the account signs for an action of the registry. */
export function teamTypedData<Name extends ActionName>(
  registry: RegistryAddress,
  at: AccountAtEpoch,
  action: Name,
  message: ActionMessage<Name>,
): TypedData {
  return nestedTypedData(actionTypedData(registry, action, message), registry.chainId, at);
}

/** The account's signature for the registry, by these signers. */
export function approveAction<Name extends ActionName>(
  registry: RegistryAddress,
  at: AccountAtEpoch,
  by: readonly TeamSigner[],
  action: Name,
  message: ActionMessage<Name>,
): `0x${string}` {
  const approvals = approvalsBy(by, teamTypedData(registry, at, action, message));
  return wrapApprovals(approvals, actionTypedData(registry, action, message));
}

/** An `approval` or `proof` of these signers for a change of the account itself. */
export function approveChange<Name extends AccountActionName>(
  chainId: number,
  at: AccountAtEpoch,
  by: readonly TeamSigner[],
  action: Name,
  message: AccountActionMessage<Name>,
): `0x${string}` {
  return toHex(encodeApprovals(approvalsBy(by, accountTypedData(chainId, at, action, message))));
}

/** First signers of an account without recovery, changed where a test wants it. */
export function parametersOf(
  signers: readonly TeamSigner[],
  threshold: number,
  change: Partial<AccountParameters> = {},
): AccountParameters {
  return {
    signers: signers.map(({ signer }) => signer),
    threshold,
    passkeysAlone: false,
    recoverySigners: [],
    recoveryThreshold: 0,
    ...change,
  };
}

/** Makes the account on the stack's chain, through the factory and past the server. */
export async function deployAccount(stack: Stack, parameters: AccountParameters): Promise<Address> {
  const factory = { address: vendorAccountFactoryAddress, abi: vendorAccountFactoryAbi };
  await call(stack, factory, 'create', [parameters]);
  return parseAddress(vendorAccountAddress(parameters));
}
