import {
  type Address,
  cancelRecoveryRequestSchema,
  createAccountRequestSchema,
  type Proposal,
  parseAddress,
  recoverRequestSchema,
  setRecoveryRequestSchema,
  setSignersRequestSchema,
} from '@firmproof/protocol';
import type { AccountRequest } from '@firmproof/protocol/approval';
import { type Request, type Response, Router } from 'express';
import { addressOfAccount } from '../chain/accounts.ts';
import { toResource } from '../proposals/proposal-store.ts';
import type { Dependencies } from './dependencies.ts';
import { bodyOf, parameter } from './parameters.ts';

const listedProposals = 100;

/** Vendor accounts: who approves for a publisher, and how that changes. */
export function accountRoutes({ accounts, intake, store, tokens, wake }: Dependencies): Router {
  const router = Router();

  async function answer(response: Response, request: AccountRequest): Promise<void> {
    const proposal: Proposal = await intake.account(request);
    response.status(202).location(`/v1/proposals/${proposal.id}`).json(proposal);
    wake();
  }

  /** The account of the path, whose token the request must carry. */
  async function ownAccount(request: Request): Promise<Address> {
    const account = parseAddress(parameter(request, 'account'));
    await tokens.require(request, account);
    return account;
  }

  function change(path: string, read: (request: Request, account: Address) => AccountRequest): void {
    router.post(`/v1/accounts/:account/${path}`, async (request, response) => {
      await answer(response, read(request, await ownAccount(request)));
    });
  }

  router.post('/v1/accounts', async (request, response) => {
    const { parameters } = bodyOf(request, createAccountRequestSchema);
    const account = addressOfAccount(parameters);
    await tokens.require(request, account);
    await answer(response, { kind: 'create-account', body: { parameters, account } });
  });

  router.get('/v1/accounts/:account', async (request, response) => {
    const account = await accounts.require(parseAddress(parameter(request, 'account')));
    response.setHeader('cache-control', 'no-store').json(account);
  });

  router.get('/v1/accounts/:account/proposals', async (request, response) => {
    const rows = await store.ofApprover(await ownAccount(request), listedProposals);
    response.setHeader('cache-control', 'no-store').json({ items: rows.map(toResource) });
  });

  change('signers', (request, account) => ({
    kind: 'set-signers',
    body: { ...bodyOf(request, setSignersRequestSchema), account },
  }));
  change('recovery-signers', (request, account) => ({
    kind: 'set-recovery',
    body: { ...bodyOf(request, setRecoveryRequestSchema), account },
  }));
  change('recoveries', (request, account) => ({
    kind: 'schedule-recovery',
    body: { ...bodyOf(request, recoverRequestSchema), account },
  }));
  change('recoveries/completion', (request, account) => ({
    kind: 'recover',
    body: { ...bodyOf(request, recoverRequestSchema), account },
  }));
  change('recoveries/cancellation', (request, account) => ({
    kind: 'cancel-recovery',
    body: { ...bodyOf(request, cancelRecoveryRequestSchema), account },
  }));

  return router;
}
