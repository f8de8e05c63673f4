import { type Proposal, proposalSchema } from '@firmproof/protocol';
import type { Api } from './api.ts';
import { isFinished } from './load-proposal.ts';
import { parsedJson } from './request.ts';

const pollMilliseconds = 3000;

/**
 * Tells every change of a proposal until it is finished: as the server sends it, or by asking again where something between
 * holds events back. Answers with what ends it.
 */
export function followProposal(api: Api, id: string, onChange: (proposal: Proposal) => void): () => void {
  let newest = 0;
  let polling: ReturnType<typeof setInterval> | undefined;
  const events = new EventSource(`${api.server}/v1/proposals/${id}/events`);
  const stop = () => {
    events.close();
    clearInterval(polling);
  };

  // Events begin with the history, which is old news here.
  function take(proposal: Proposal): void {
    if (proposal.id !== id || proposal.updatedAt < newest) return;
    newest = proposal.updatedAt;
    if (isFinished(proposal)) stop();
    onChange(proposal);
  }

  const poll = () => {
    // A server that is away for a moment is asked again.
    api.proposal(id).then(take, () => undefined);
  };
  events.addEventListener('state', ({ data }: MessageEvent<string>) => {
    const parsed = proposalSchema.safeParse(parsedJson(data));
    if (parsed.success) take(parsed.data);
  });
  events.addEventListener('open', () => clearInterval(polling));
  events.addEventListener('error', () => {
    clearInterval(polling);
    polling = setInterval(poll, pollMilliseconds);
  });
  return stop;
}
