// V11 without a chain: where accounts are, and what is read out of calldata that anybody may have made up.
import { accountInterface, vendorAccountAddress, vendorAccountFactoryAddress } from '@firmproof/contracts';
import { type AccountParameters, parseAddress, parseSigner, toHex } from '@firmproof/protocol';
import { accountTypedData, hashStruct, typedDataHash } from '@firmproof/protocol/approval';
import { accountAddressOf, vendorAccountFactoryAddress as factoryOfAudit } from '@firmproof/protocol/audit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAccountCall } from '../../../protocol/src/audit/account-call.ts';
import { isEnough } from '../../../protocol/src/audit/signer-history.ts';
import { approveChange, mixedTeam, p256Signer, parametersOf, passkeySigner, walletSigner } from '../../support/team.ts';

const team = mixedTeam();
const [wallet, key, passkey] = team;
const account = parseAddress(`0x${'ac'.repeat(20)}`);
const at = { account, epoch: 7 };

describe('the address of an account', () => {
  test('is what the factory makes of its first signers, however many bytes those take', () => {
    expect(factoryOfAudit).toBe(vendorAccountFactoryAddress);
    const pool = [...team, walletSigner(), p256Signer(), passkeySigner()].map(({ signer }) => signer);
    const list = fc.subarray(pool);
    fc.assert(
      fc.property(list, list, fc.nat(5), fc.boolean(), (signers, recoverySigners, threshold, passkeysAlone) => {
        const parameters: AccountParameters = {
          ...{ signers, threshold, passkeysAlone, recoverySigners, recoveryThreshold: recoverySigners.length },
        };
        expect(accountAddressOf(parameters)).toBe(vendorAccountAddress(parameters));
      }),
      { numRuns: 60 },
    );
  });

  test('changes with everything that it is made of', () => {
    const parameters = parametersOf(team, 2);
    const others = [{ threshold: 3 }, { passkeysAlone: true }, { recoveryThreshold: 1 }, { signers: [] }];
    const addresses = [{}, ...others].map((change) => accountAddressOf({ ...parameters, ...change }));
    expect(new Set(addresses).size).toBe(5);
  });
});

describe('calldata of an account', () => {
  const message = {
    ...{ signers: team.map(({ signer }) => signer), threshold: 2, passkeysAlone: false, epoch: 8, deadline: 1 },
  };
  const sides = [team.slice(0, 2), team.slice(1)].map((by) => approveChange(1, at, by, 'SetSigners', message));
  const input = accountInterface.encodeFunctionData('setSigners', [...Object.values(message), ...sides]);

  test('says what was signed and by whom', () => {
    const typed = accountTypedData(1, at, 'SetSigners', message);
    const call = readAccountCall(input);
    expect(call).toMatchObject({ name: 'setSigners', signers: message.signers, threshold: 2, epoch: 8 });
    expect(call?.approval.map(({ signer }) => signer).toSorted()).toEqual([wallet.signer, key.signer].toSorted());
    expect(call?.proof.map(({ signer }) => signer).toSorted()).toEqual([key.signer, passkey.signer].toSorted());
    expect(call?.digestAt(1, at)).toBe(typedDataHash(typed));
    expect(call?.structHash).toBe(hashStruct(typed.types, 'SetSigners', message));
    expect(readAccountCall('0x')).toBeNull();
  });

  test('of any bytes is read or refused, and breaks nothing', () => {
    const whole = Buffer.from(input.slice(2), 'hex');
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (place, bits, cut) => {
        const changed = Buffer.from(cut ? whole.subarray(0, place) : whole);
        if (!cut) changed[place] = (changed[place] ?? 0) ^ bits;
        expect(() => readAccountCall(toHex(changed))).not.toThrow();
      }),
      { numRuns: 300 },
    );
  });
});

test('a quorum is of members alone, each once, and not of passkeys where those are not enough', () => {
  const set = { signers: team.map(({ signer }) => signer), threshold: 2, passkeysAlone: false };
  const stranger = parseSigner(walletSigner().signer);
  expect(isEnough(set, [wallet.signer, passkey.signer])).toBe(true);
  expect(isEnough(set, [wallet.signer, passkey.signer, stranger])).toBe(false);
  expect(isEnough(set, [wallet.signer])).toBe(false);
  expect(isEnough(set, [wallet.signer, wallet.signer])).toBe(false);
  expect(isEnough({ ...set, threshold: 1 }, [passkey.signer])).toBe(false);
  expect(isEnough({ ...set, threshold: 1, passkeysAlone: true }, [passkey.signer])).toBe(true);
  expect(isEnough({ ...set, threshold: 0 }, [])).toBe(false);
});
