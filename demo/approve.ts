import type { Vendor } from '@firmproof/client';
import type { Proposal } from '@firmproof/protocol';
import { proposedTypedData, typedDataHash } from '@firmproof/protocol/approval';
import type { TeamSigner } from '../test/support/team.ts';

/** A signer with a key at hand looks at the proposal and approves it: then the server relays it. */
export async function approveWith(
  { client, info, account }: Vendor,
  proposal: Proposal,
  by: TeamSigner,
): Promise<void> {
  const typed = proposedTypedData(proposal, info, { account, epoch: (await client.account(account)).epoch });
  await client.approve(proposal.id, { signer: by.signer, signature: by.sign(typedDataHash(typed)) });
  await client.follow(proposal.id);
}
