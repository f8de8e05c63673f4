import { expect, test } from 'vitest';
import { supplyChainOf } from '../../../client/src/cli/supply-chain-options.ts';
import { expectCode } from '../../support/expect-code.ts';

test('severity, fixes and the end of support are parsed before anything is signed', async () => {
  const flags = { severity: 'low', fixes: 'CVE-2026-12345, cve-2026-1111,CVE-2026-12345', supportUntil: '2032-02-29' };
  expect(await supplyChainOf(flags)).toMatchObject({
    severity: 'low',
    fixedVulnerabilities: ['CVE-2026-12345', 'CVE-2026-1111'],
    supportUntil: '2032-02-29',
    documents: { files: [] },
  });
});

test.each([
  [{ severity: 'urgent' }, 'usage-invalid'],
  [{ severity: 'High' }, 'usage-invalid'],
  [{ supportUntil: '2031-02-30' }, 'usage-invalid'],
  [{ supportUntil: 'tomorrow' }, 'usage-invalid'],
  [{ fixes: 'CVE-2026' }, 'vulnerability-invalid'],
  [{ fixes: '' }, 'vulnerability-invalid'],
  [{ fixes: Array.from({ length: 257 }, (_, index) => `CVE-2026-${1000 + index}`).join(',') }, 'vulnerability-invalid'],
] as const)('%j is refused', (flags, code) => expectCode(code, () => supplyChainOf(flags)));
