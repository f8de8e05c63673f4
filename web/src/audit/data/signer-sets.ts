import type { Address, BlockStatement } from '@firmproof/protocol';
import {
  type AccountProof,
  accountAddressOf,
  accountProofSchema,
  accountSlots,
  type KnownSet,
  proveAccountState,
  signerHistoryOf,
  signerSlots,
} from '@firmproof/protocol/audit';
import type { ProductAudit } from './audit.ts';
import { RpcNode } from './rpc-node.ts';

const known = new WeakMap<ProductAudit, Map<Address, Promise<readonly KnownSet[] | null>>>();

/**
 * Whose keys a vendor account has had, where that is proved without a search of logs: as long as they have never changed, by the
 * visitor's own nodes (V11.1, V11.2 of docs/spec/audit.md), or by the address of the account, which is made of its first keys,
 * whoever names them. null where that is not known here; `firmproof audit` proves changes as well.
 */
export function signerSetsOf(audit: ProductAudit, account: Address): Promise<readonly KnownSet[] | null> {
  const ofAudit = known.get(audit) ?? new Map<Address, Promise<readonly KnownSet[] | null>>();
  known.set(audit, ofAudit);
  const sets = ofAudit.get(account) ?? knownSets(audit, account);
  ofAudit.set(account, sets);
  return sets;
}

const knownSets = async (audit: ProductAudit, account: Address) =>
  (await firstSets(audit, account)) ?? (await namedByServer(audit, account));

/** What the server says of the account counts only as what its address is made of (V11.1). */
async function namedByServer({ carrier }: ProductAudit, account: Address): Promise<readonly KnownSet[] | null> {
  try {
    const { epoch, signers, threshold, passkeysAlone, recovery } = await carrier.account(account);
    const recoverySide = { recoverySigners: [...recovery.signers], recoveryThreshold: recovery.threshold };
    const isRooted = accountAddressOf({ signers, threshold, passkeysAlone, ...recoverySide }) === account;
    if (epoch !== 1 || !isRooted) return null;
    return [{ epoch, signers, threshold, passkeysAlone, basis: 'address', from: null, until: null }];
  } catch {
    // It knows of no such account, or does not answer: whose keys they are is not known here.
    return null;
  }
}

async function firstSets({ settings, sightings }: ProductAudit, account: Address) {
  const vouched = sightings.list.filter(({ vouchers }) => vouchers.length > 0);
  const newest = vouched.toSorted((one, other) => other.proof.block.number - one.proof.block.number)[0];
  if (newest === undefined) return null;
  const { block } = newest.proof;
  for (const url of settings.rpcUrls) {
    try {
      return await provenSets(new RpcNode(url), account, block);
    } catch {
      // A false proof, or none: the next one may have it.
    }
  }
  return null;
}

async function provenSets(node: RpcNode, account: Address, block: BlockStatement): Promise<readonly KnownSet[] | null> {
  const proof = await proofOfAccount(node, account, block);
  const proven = await proveAccountState(proof, account, block);
  if (proven === null || proven.current.epoch !== 1) return null;
  const { signers, threshold, passkeysAlone } = proven.current;
  const { recovery } = proven;
  const more = { recoverySigners: [...recovery.signers], recoveryThreshold: recovery.threshold };
  const first = { signers: [...signers], threshold, passkeysAlone, ...more };
  const record = { account, first, changes: [], announcement: null, shownBy: 0, proof };
  return (await signerHistoryOf(record, block))?.sets ?? null;
}

async function proofOfAccount(node: RpcNode, account: Address, { number }: BlockStatement): Promise<AccountProof> {
  const { accountProof, storageProof } = await node.proof(account, accountSlots, number);
  const more = signerSlots((slot) => storageProof[accountSlots.indexOf(slot)]?.value ?? '0x0');
  const behind = more.length === 0 ? [] : (await node.proof(account, more, number)).storageProof;
  const proofs = [...storageProof.slice(0, accountSlots.length), ...behind];
  const storage = [...accountSlots, ...more].map((slot, index) => ({ slot, proof: proofs[index]?.proof ?? [] }));
  return accountProofSchema.parse({ accountProof, storage });
}
