import type { Proposal, ServerInfo } from '@firmproof/protocol';
import { loadSaid, type Said } from '@firmproof/protocol/review';
import type { Api } from './api.ts';

export type LoadedProposal = { readonly info: ServerInfo; readonly said: Said };

export async function loadProposal(api: Api, id: string): Promise<LoadedProposal> {
  const [info, said] = await Promise.all([api.info(), loadSaid(api, id)]);
  return { info, said };
}

export const isFinished = ({ state }: Proposal) => ['confirmed', 'rejected', 'expired'].includes(state);
