import { expect, test } from 'vitest';
import { runCommand } from '../support/command.ts';

test('npm run demo -- --json does what it claims, step by step', async () => {
  const { code, stdout, stderr } = await runCommand('demo/main.ts', ['--json']);
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toHaveLength(1);
  const { steps, ok } = JSON.parse(stdout);
  expect(steps.filter((step: { ok: boolean }) => !step.ok)).toEqual([]);
  expect(ok).toBe(true);
  expect(code).toBe(0);
  const codes = Object.fromEntries(steps.map((step: { name: string; code?: string }) => [step.name, step.code]));
  expect(codes).toEqual({
    start: undefined,
    team: undefined,
    'publish-7.27.0': undefined,
    'install-7.27.0': undefined,
    'stolen-key': 'approvals-missing',
    'publish-7.28.0': undefined,
    'update-7.28.0': undefined,
    'flip-byte': 'block-digest-mismatch',
    'old-release': 'sequence-rollback',
    'forge-record': 'storage-proof-invalid',
    'stranger-key': 'attestation-key-unknown',
    'one-lying-witness': undefined,
    'two-lying-witnesses': 'no-quorum',
    revoked: 'head-revoked',
  });
});
