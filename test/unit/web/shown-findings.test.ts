import type { Finding, PendingConfiguration } from '@firmproof/protocol/audit';
import { expect, test } from 'vitest';
import { shownFindings } from '../../../web/src/audit/parts/shown-findings.ts';

const scheduled = (sequence: number): Finding => ({
  code: 'configuration-pending',
  severity: 'warn',
  sequence,
  message: 'a change is scheduled, in force from 2026-11-25T13:19:24.000Z at the earliest: delay',
});

test('a change that waits no more is not shown as one that does', () => {
  const findings = [scheduled(3), scheduled(5)];
  expect(shownFindings(findings, null)).toEqual([]);
  const shown = shownFindings(findings, { sequence: 5 } as PendingConfiguration);
  expect(shown.map(({ sequence }) => sequence)).toEqual([5]);
  expect(shown[0]?.message).not.toContain('000Z');
  expect(shown[0]?.message).toContain('25 Nov 2026');
});
