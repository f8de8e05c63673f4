import type { HistoryEvent } from '@firmproof/protocol/audit';
import { describeEvent } from '../parts/event-words.ts';
import type { ProductAudit } from './audit.ts';

/** Everything that these pages know of a product: place, verdict, findings, and the raw entries, which anybody can replay again. */
export async function historyAsJson(audit: ProductAudit): Promise<string> {
  const { product, place, verdict, findings, sightings, carrier, history } = audit;
  const { chainId, registry } = place;
  const { tone, vouchedUpTo, vouchers, block, problems } = verdict;
  const document = {
    product,
    name: history.name,
    chainId,
    registry,
    server: carrier.server,
    checkedAt: Math.floor(Date.now() / 1000),
    verdict: { tone, vouchedUpTo, vouchers, block, problems },
    findings,
    proof: sightings.proof,
    entries: await audit.entries(),
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}

const columns = ['sequence', 'time', 'kind', 'version', 'channel', 'approver', 'description', 'block', 'transaction'];

/** One line an entry, for a spreadsheet. */
export function historyAsCsv({ events, approvers }: ProductAudit): string {
  const lines = events.map((event) =>
    rowOf(event, approvers[event.sequence - 1] ?? '')
      .map(csvField)
      .join(','),
  );
  return `${[columns.join(','), ...lines].join('\r\n')}\r\n`;
}

function rowOf(event: HistoryEvent, approver: string): readonly string[] {
  return [
    String(event.sequence),
    new Date(event.time * 1000).toISOString(),
    event.kind,
    'version' in event ? event.version : '',
    'channel' in event ? event.channel : '',
    approver,
    describeEvent(event),
    String(event.block.number),
    event.transaction,
  ];
}

/** RFC 4180; what a spreadsheet would take for a formula begins with an apostrophe. */
function csvField(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
