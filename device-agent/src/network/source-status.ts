import { redactUrl } from '@firmproof/protocol';
import { isoTime } from '../clock.ts';
import type { SourceHealth } from './source-health.ts';

export type SourceStatus = {
  /** Without credentials. */
  readonly source: string;
  /** 0: asked in its turn; what is above is asked later. */
  readonly penalty: number;
  readonly lastFailure: { readonly code: string; readonly message: string; readonly at: string } | null;
  readonly certificateProblem: string | null;
};

/** What there is to say of the sources that failed; the others are in order. */
export const sourceStatus = (health: SourceHealth): readonly SourceStatus[] =>
  health.entries().map(({ source, penaltyNow, lastFailure, certificateProblem }) => ({
    source: redactUrl(source),
    penalty: penaltyNow,
    lastFailure: lastFailure && {
      code: lastFailure.code,
      message: lastFailure.message,
      at: isoTime(lastFailure.atSeconds),
    },
    certificateProblem: certificateProblem?.message ?? null,
  }));
