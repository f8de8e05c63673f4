// A15, A16, A28, A45: the same key, signature, name or transaction in another guise, against the contracts themselves.
import { vendorAccountAbi, vendorAccountAddress } from '@firmproof/contracts';
import {
  type ActionMessage,
  asciiWord,
  fromHex,
  p256Verifier,
  parseProductName,
  parseSigner,
  productIdOf,
  toHex,
  webAuthnVerifier,
  zeroAddress,
} from '@firmproof/protocol';
import { encodeApprovals, type SignerApproval, typedDataHash } from '@firmproof/protocol/approval';
import { Contract, concat, getBytes, Signature } from 'ethers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AttackedTeam, anyWord, refusedAccount } from '../support/attacked-team.ts';
import { expectCode } from '../support/expect-code.ts';
import { call, refused, withRelayer } from '../support/relayer.ts';
import { destroyStack, type Stack, startStack } from '../support/stack.ts';
import {
  approvalsBy,
  approveAction,
  deployAccount,
  mixedTeam,
  parametersOf,
  teamTypedData,
  walletSigner,
} from '../support/team.ts';

let stack: Stack;
let team: AttackedTeam;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => destroyStack(stack));
beforeEach(async () => {
  team = await AttackedTeam.open(stack);
});

describe('A15 other forms of a signature', () => {
  const p256Order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const secp256k1Order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const word = (value: bigint) => toHex(fromHex(`0x${value.toString(16).padStart(64, '0')}`));
  const flipped = (signature: string, order: bigint) =>
    concat([
      signature.slice(0, 66),
      word(order - BigInt(`0x${signature.slice(66, 130)}`)),
      `0x${signature.slice(130)}`,
    ]);

  /** One other signer approves in order; this one in another form. */
  async function refusedForms(index: 0 | 1 | 2, forms: (signature: `0x${string}`) => readonly string[]) {
    const message = team.release();
    const typed = teamTypedData(stack.info, team.at(1), 'Publish', message);
    const signer = team.members[index];
    const other = approvalsBy([team.members[index === 0 ? 1 : 0]], typed);
    for (const form of forms(signer.sign(typedDataHash(typed)))) {
      const approval = { signer: signer.signer, signature: form as `0x${string}` };
      await team.refusedRelease(message, team.wrapped([approval, ...other], message));
    }
  }

  test('of a wallet: high s, v of 0 or 1, the compact form, a byte more', () =>
    refusedForms(0, (signature) => {
      const { yParity, compactSerialized } = Signature.from(signature);
      const high = flipped(signature, secp256k1Order).slice(0, -2) + (yParity === 0 ? '1c' : '1b');
      return [high, `${signature.slice(0, -2)}0${yParity}`, compactSerialized, `${signature}00`];
    }));

  test('of a P-256 key: high s, DER, a byte more, a byte less', () =>
    refusedForms(1, (signature) => [
      flipped(signature, p256Order),
      derOf(signature),
      `${signature}00`,
      signature.slice(0, -2),
    ]));

  test('of a passkey: high s', () => refusedForms(2, (signature) => [flipped(signature, p256Order)]));

  test('what was approved once is recorded once, however it is spelled', async () => {
    const message = team.release();
    const approvals = approvalsBy(team.members, teamTypedData(stack.info, team.at(1), 'Publish', message));
    await call(stack, team.registry, 'publish', [...Object.values(message), team.wrapped(approvals, message)]);
    const before = await team.recorded();
    const spellings = [
      team.wrapped(approvals, message),
      team.wrapped(approvals.slice(1), message),
      loose(approvals, message),
    ];
    const taken = `VersionTaken(${team.product},${asciiWord('9.9.9')})`;
    for (const spelling of spellings) {
      await refused(stack, team.registry, 'publish', [...Object.values(message), spelling], taken);
    }
    expect(await team.recorded()).toEqual(before);
  });

  /** Another ABI encoding of the same lists: a word of nothing between heads and tails. */
  function loose(approvals: readonly SignerApproval[], message: ActionMessage<'Publish'>) {
    const strict = toHex(encodeApprovals(approvals));
    const heads = [0, 1].map((index) => word(BigInt(`0x${strict.slice(2 + index * 64, 66 + index * 64)}`) + 32n));
    const whole = team.wrapped(approvals, message);
    return concat([...heads, word(0n), `0x${strict.slice(130)}`, `0x${whole.slice(strict.length)}`]);
  }
});

/** r ‖ s in ASN.1. */
function derOf(signature: string): string {
  const integer = (bytes: Uint8Array) => {
    const trimmed = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
    const body = (trimmed[0] ?? 0) > 0x7f ? [0, ...trimmed] : [...trimmed];
    return [2, body.length, ...body];
  };
  const bytes = getBytes(signature);
  const body = [...integer(bytes.subarray(0, 32)), ...integer(bytes.subarray(32))];
  return toHex(Uint8Array.of(0x30, body.length, ...body));
}

describe('A16 front-running and squatting', () => {
  test('whoever makes the account first makes the team’s', async () => {
    const members = mixedTeam();
    const parameters = parametersOf(members, 2);
    const account = await deployAccount(stack, parameters);
    expect(await deployAccount(stack, parameters)).toBe(account);
    await withRelayer(stack, stack.directory, async (relayer) => {
      const contract = new Contract(account, vendorAccountAbi, relayer);
      expect([...(await contract.getFunction('signers')())]).toEqual(parameters.signers);
      expect(await contract.getFunction('threshold')()).toBe(2n);
    });
  });

  test('other signers or another threshold are another address', () => {
    const [alice, bob, carol] = team.members;
    const mallory = walletSigner();
    const addresses = [
      parametersOf([alice, bob, carol], 2),
      parametersOf([alice, bob, carol], 1),
      parametersOf([alice, bob, mallory], 2),
      parametersOf([alice, bob, carol], 2, { passkeysAlone: true }),
      parametersOf([alice, bob, carol], 2, { recoverySigners: [mallory.signer], recoveryThreshold: 1 }),
    ].map(vendorAccountAddress);
    expect(new Set(addresses).size).toBe(addresses.length);
    expect(addresses[0]).toBe(team.account);
  });

  test('a name that somebody else registers is another product', async () => {
    const mallory = [walletSigner()];
    const account = await deployAccount(stack, parametersOf(mallory, 1));
    const message = team.registration(account);
    const signature = approveAction(stack.info, { account, epoch: 1 }, mallory, 'Register', message);
    const before = await team.recorded();
    await call(stack, team.registry, 'register', [...Object.values(message), signature]);
    expect(productIdOf(stack.info.chainId, stack.info.registry, account, message.name)).not.toBe(team.product);
    expect(await team.recorded()).toEqual(before);
  });

  test('a copied registration cannot be changed', async () => {
    const message = team.registration(team.account, 'hub-2');
    const signature = approveAction(stack.info, team.at(1), team.members, 'Register', message);
    const changes = [{ guardian: team.members[0].signer }, { delay: 1 }, { trustRoot: anyWord() }, { name: 'hub-3' }];
    for (const change of changes) {
      const args = [...Object.values({ ...message, ...change }), signature];
      await refused(stack, team.registry, 'register', args, `ApprovalRefused(${team.account})`);
    }
  });

  test('a copied release changes nothing but who pays', async () => {
    const message = team.release();
    const signature = team.signedBy(team.members, message);
    for (const change of [{ image: anyWord() }, { version: '9.9.8' }, { rollbackIndex: 1 }]) {
      await team.refusedRelease({ ...message, ...change } as never, signature);
    }
    await call(stack, team.registry, 'publish', [...Object.values(message), signature]);
    const before = await team.recorded();
    const taken = `VersionTaken(${team.product},${asciiWord('9.9.9')})`;
    await refused(stack, team.registry, 'publish', [...Object.values(message), signature], taken);
    expect(await team.recorded()).toEqual(before);
  });
});

describe('A28 names that look like others', () => {
  const lookAlikes = [
    'һub', // a Cyrillic letter
    'hub​', // and a space of no width
    'hu\u0062\u0301', // a letter with an accent of its own
    'ｈｕｂ', // full width
    'ℎub',
    'hub\u202e',
    'HUB',
    'hub ',
    'hub\0',
    'h--ub',
    'xn--hub-',
  ];

  test.each(lookAlikes)('%j is refused off the chain and on it', async (name) => {
    await expectCode('name-invalid', () => parseProductName(name));
    const message = team.registration(team.account, name);
    const signature = approveAction(stack.info, team.at(1), team.members, 'Register', message);
    const before = await team.recorded();
    const error = `InvalidName(${name})`;
    await refused(stack, team.registry, 'register', [...Object.values(message), signature], error);
    expect(await team.recorded()).toEqual(before);
  });
});

describe('A45 one key as two signers', () => {
  const twinOf = (signer: string) =>
    parseSigner(`${signer.startsWith(p256Verifier) ? webAuthnVerifier : p256Verifier}${signer.slice(42)}`);

  test('under both verifiers, from the first day', async () => {
    const [alice, bob, carol] = team.members;
    for (const { signer } of [bob, carol]) {
      const signers = [alice.signer, signer, twinOf(signer)];
      await refusedAccount(stack, parametersOf([], 2, { signers }), `DuplicateKey(${twinOf(signer)})`);
    }
  });

  test('under both verifiers, set later', async () => {
    const [alice, bob] = team.members;
    const signers = [alice.signer, bob.signer, twinOf(bob.signer)];
    const args = team.newSigners(signers, 2, [alice, bob], [alice, bob]);
    await refused(stack, team.contract, 'setSigners', args, `DuplicateKey(${twinOf(bob.signer)})`);
  });

  test('as the other kind in an approval', async () => {
    const [, bob] = team.members;
    const message = team.release();
    const [own] = approvalsBy([bob], teamTypedData(stack.info, team.at(1), 'Publish', message));
    if (own === undefined) throw new Error('no approval');
    await team.refusedRelease(message, team.wrapped([own, { ...own, signer: twinOf(bob.signer) }], message));
  });

  test('under a verifier that says yes to everything, a point off the curve, another length', async () => {
    const [alice, bob] = team.members;
    const invalid = [
      `0x${'99'.repeat(20)}${bob.signer.slice(42)}`,
      `${p256Verifier}${'00'.repeat(64)}`,
      `${webAuthnVerifier}${'ff'.repeat(32)}${'01'.repeat(32)}`,
      `${bob.signer}00`,
      `${alice.signer}00`,
      zeroAddress,
      team.account,
    ];
    for (const signer of invalid) {
      const signers = [alice.signer, bob.signer, signer as never];
      await refusedAccount(stack, parametersOf([], 2, { signers }), `InvalidSigner(${signer})`);
    }
  });
});
