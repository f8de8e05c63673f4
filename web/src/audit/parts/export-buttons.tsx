import { useState } from 'react';
import { Failure } from '../../parts/failure.tsx';
import type { ProductAudit } from '../data/audit.ts';
import { auditFileOf } from '../data/audit-file.ts';
import { historyAsCsv, historyAsJson } from '../data/export.ts';
import { downloadText } from './download.ts';

/** The history as files: what was replayed here, with how sure it is. */
export function ExportButtons({ audit }: { audit: ProductAudit }) {
  const [error, setError] = useState<unknown>(null);
  const [done, setDone] = useState<number | null>(null);
  const { name } = audit.history;
  const act = (work: () => Promise<void>) => () => {
    setError(null);
    work()
      .catch(setError)
      .finally(() => setDone(null));
  };
  const json = act(async () => downloadText(`${name}-history.json`, 'application/json', await historyAsJson(audit)));
  const csv = act(async () => downloadText(`${name}-history.csv`, 'text/csv', historyAsCsv(audit)));
  const file = act(async () => {
    setDone(0);
    downloadText(`${name}.audit.jsonl`, 'application/jsonl', ...(await auditFileOf(audit, setDone)));
  });
  return (
    <>
      <p className="quiet">
        The audit file holds entries, proof, transactions and attestations: <code>firmproof audit --offline</code>{' '}
        verifies it on a machine without a network. JSON and CSV hold the entries for other tools.
      </p>
      <div className="actions">
        <button
          type="button"
          className="button primary"
          disabled={done !== null || audit.verdict.tone === 'bad'}
          onClick={file}
        >
          Audit file
        </button>
        <button type="button" className="button" onClick={json}>
          Entries as JSON
        </button>
        <button type="button" className="button" onClick={csv}>
          Entries as CSV
        </button>
      </div>
      {done !== null && (
        <p className="hashing">
          <progress value={done} max={audit.events.length} aria-label="Entries collected" />
          {done.toLocaleString('en')} of {audit.events.length.toLocaleString('en')} entries
        </p>
      )}
      {error !== null && <Failure error={error} />}
    </>
  );
}
