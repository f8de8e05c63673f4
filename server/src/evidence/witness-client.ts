import { type Cosignature, parseWitnessedBlock, type WitnessedBlock } from '@firmproof/protocol';

/** Where a cosignature comes from: a witness daemon over HTTP, or one embedded in the server. */
export type WitnessSource = {
  readonly operator: string;
  /** The cosignature for a final block; null while the witness does not vouch for it or does not answer. */
  cosignatureFor(blockNumber: number): Promise<WitnessedBlock | null>;
};

export function httpWitness(operator: string, url: string): WitnessSource {
  const base = url.replace(/\/+$/, '');
  return {
    operator,
    async cosignatureFor(blockNumber) {
      try {
        const response = await fetch(`${base}/v1/cosignatures/${blockNumber}`, {
          signal: AbortSignal.timeout(5000),
          redirect: 'error',
        });
        return response.ok ? parseWitnessedBlock(await response.text()) : null;
      } catch {
        // A silent witness is one voice less; the quorum decides whether that matters.
        return null;
      }
    },
  };
}

/** The cosignatures of all witnesses that vouch for exactly this block. */
export async function collectCosignatures(
  sources: readonly WitnessSource[],
  block: WitnessedBlock['block'],
): Promise<readonly Cosignature[]> {
  const answers = await Promise.all(sources.map((source) => source.cosignatureFor(block.number)));
  return answers
    .filter((answer) => answer !== null)
    .filter((answer) => answer.block.hash === block.hash && answer.block.stateRoot === block.stateRoot)
    .map((answer) => answer.cosignature);
}
