import { type AdvisoryPredicate, parseVersion } from '@firmproof/protocol';
import { describe, expect, test } from 'vitest';
import { draftOf } from '../../../client/src/cli/advisory-draft.ts';
import { expectCode } from '../../support/expect-code.ts';

const id = 'FPA-2026-1';
const versions = [parseVersion('1.0.0')];
const before = {
  id,
  revision: 1,
  status: 'under_investigation',
  severity: 'high',
  versions,
  fixedIn: parseVersion('1.2.0'),
  title: 'The radio takes commands',
  text: 'Switch it off.',
  vulnerabilities: ['CVE-2026-12345'],
} as const satisfies Partial<AdvisoryPredicate> as unknown as AdvisoryPredicate;

describe('the next revision of an advisory', () => {
  test('goes on saying what is not said anew', () => {
    const { revision: _, ...said } = before;
    expect(draftOf({ id, severity: 'critical' })(before)).toEqual({ ...said, severity: 'critical' });
  });

  test('drops only what it is told to', () => {
    const draft = draftOf({ id, cve: 'none', fixedIn: 'none', status: 'affected' })(before);
    expect(draft).toMatchObject({ status: 'affected', vulnerabilities: [], text: 'Switch it off.' });
    expect(draft).not.toHaveProperty('fixedIn');
  });

  test('has its new title as its text, where the old one had', () => {
    const untold = { ...before, text: before.title };
    expect(draftOf({ id, title: 'Fixed' })(untold)).toMatchObject({ title: 'Fixed', text: 'Fixed' });
  });
});

test('a first revision needs versions, severity and title', async () => {
  const given = { id, versions: '1.0.0', severity: 'high', title: 'A hole' };
  expect(draftOf(given)(null)).toEqual({
    ...{ id, status: 'affected', severity: 'high', versions },
    ...{ title: 'A hole', text: 'A hole', vulnerabilities: [] },
  });
  for (const name of ['versions', 'severity', 'title'] as const)
    await expectCode('usage-invalid', async () => draftOf({ ...given, [name]: undefined })(null));
  await expectCode('usage-invalid', async () => draftOf({ ...given, severity: 'worst' }));
  await expectCode('vulnerability-invalid', async () => draftOf({ ...given, cve: 'CVE-1' }));
});
