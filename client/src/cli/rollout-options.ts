import { FirmproofError } from '@firmproof/protocol';
import type { Command } from 'commander';
import { everybodyAtOnce, type Rollout } from '../rollout.ts';
import { parseDurationSeconds, parseShareBasisPoints } from '../units.ts';

export type RolloutFlags = { readonly over?: string; readonly first?: string; readonly start?: string };

export function rolloutOf({ over, first, start }: RolloutFlags): Rollout {
  const startSeconds = start === undefined ? 0 : Math.floor(Date.parse(start) / 1000);
  if (Number.isNaN(startSeconds)) {
    throw new FirmproofError('usage-invalid', `--start "${start}" is no time`, { hint: 'Write 2026-12-01T06:00:00Z.' });
  }
  if (over === undefined && first !== undefined) {
    throw new FirmproofError('usage-invalid', '--first needs --over', { hint: 'For example --over 72h --first 1%.' });
  }
  if (over === undefined) return { ...everybodyAtOnce, start: startSeconds };
  return {
    start: startSeconds,
    durationSeconds: parseDurationSeconds(over),
    firstShareBasisPoints: parseShareBasisPoints(first ?? '0%'),
  };
}

export function withRolloutOptions(command: Command): Command {
  return command
    .option('--over <duration>', 'reach the fleet little by little: 72h, 7d')
    .option('--first <share>', 'share of the fleet at the start: 1%')
    .option('--start <time>', 'not before: 2026-12-01T06:00:00Z');
}
