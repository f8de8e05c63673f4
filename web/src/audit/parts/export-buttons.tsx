import { useState } from 'react';
import { Failure } from '../../parts/failure.tsx';
import type { ProductAudit } from '../data/audit.ts';
import { historyAsCsv, historyAsJson } from '../data/export.ts';
import { downloadText } from './download.ts';

/** The history as files: what was replayed here, with how sure it is. */
export function ExportButtons({ audit }: { audit: ProductAudit }) {
  const [error, setError] = useState<unknown>(null);
  const name = `${audit.history.name}-history`;
  const act = (work: () => Promise<void>) => () => {
    setError(null);
    work().catch(setError);
  };
  return (
    <>
      <div className="actions">
        <button
          type="button"
          className="button"
          onClick={act(async () => downloadText(`${name}.json`, 'application/json', await historyAsJson(audit)))}
        >
          Entries as JSON
        </button>
        <button
          type="button"
          className="button"
          onClick={act(async () => downloadText(`${name}.csv`, 'text/csv', historyAsCsv(audit)))}
        >
          Entries as CSV
        </button>
      </div>
      {error !== null && <Failure error={error} />}
    </>
  );
}
