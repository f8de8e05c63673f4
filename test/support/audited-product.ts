import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareDocuments, type ReleaseOptions } from '@firmproof/client';
import { type Proposal, parseChannel, parseVersion } from '@firmproof/protocol';
import type { Stack } from './stack.ts';
import { makeTeam, type TeamVendor } from './team-vendor.ts';

export const hostileNotes = 'Faster. <img src=x onerror=alert(1)><script>alert(2)</script> {{7*7}}';

export type AuditedProduct = {
  readonly team: TeamVendor;
  readonly images: ReadonlyMap<string, Buffer>;
  /** How many entries its history has. */
  readonly entries: number;
};

/**
 * A product of a 2-of-n team with something of everything: releases, a rollout, a halt, a move backwards, a revocation, a change
 * that waits.
 */
export async function makeAuditedProduct(stack: Stack, name = 'prime-hub'): Promise<AuditedProduct> {
  const team = await makeTeam(stack, { name });
  const { vendor, product, signers } = team;
  const images = new Map<string, Buffer>();
  let entries = 1;
  const settle = async (proposal: Proposal) => {
    await team.approve(proposal, ...signers.slice(1, 2));
    await team.settle(proposal);
    entries += 1;
  };
  const publish = async (version: string, options: Partial<ReleaseOptions>) => {
    const image = randomBytes(3000);
    images.set(version, image);
    await settle(await team.propose(version, image, options));
  };
  const notes = join(stack.directory, 'notes.md');
  writeFileSync(notes, `# What is new\n\n${hostileNotes}\n`);
  const stable = parseChannel('stable');
  await publish('1.0.0', { notes: 'The first.' });
  await settle(await vendor.promote(product, stable, parseVersion('1.0.0')));
  await publish('1.1.0', { notes: hostileNotes, documents: await prepareDocuments({ notes: [notes] }) });
  const rollout = { start: 0, durationSeconds: 7200, firstShareBasisPoints: 1000 };
  await settle(await vendor.promote(product, stable, parseVersion('1.1.0'), rollout));
  await settle(await vendor.halt(product, stable));
  await settle(await vendor.revoke(product, parseVersion('1.0.0')));
  await settle(await vendor.configure(product, { delaySeconds: 3600 }));
  return { team, images, entries };
}
