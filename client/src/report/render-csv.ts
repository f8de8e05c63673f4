import type { ProductFacts, UpdateFacts } from './facts.ts';

const header = 'rxswin,device,key_digest,time,result,before_version,before_sha256,after_version,after_sha256';

/** Quoted where it has to be (RFC 4180); what a spreadsheet would take for a formula is made text. */
const quoted = (text: string) => {
  const safe = /^[=+\-@\t]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** The register device by device: a line for each update and number, also of those that failed or were rolled back. */
export function* registerCsv(
  { releases }: Pick<ProductFacts, 'releases'>,
  updates: readonly UpdateFacts[],
): Generator<string> {
  const numbers = new Map(releases.map(({ version, stated }) => [version, stated?.rxswins ?? []]));
  yield `${header}\r\n`;
  for (const { device, keyDigest, at, result, version, image, before } of updates) {
    const carried = numbers.get(version) ?? [];
    for (const number of carried.length > 0 ? carried : ['']) {
      const time = new Date(at * 1000).toISOString();
      const cells = [number, device, keyDigest, time, result, before.version, before.image ?? '', version, image];
      yield `${cells.map(quoted).join(',')}\r\n`;
    }
  }
}
