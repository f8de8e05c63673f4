// Writes docs/spec/vectors/history.json: `node test/docs/generate-history-vectors.ts`. Run once for a version of the rules.
import { writeFileSync } from 'node:fs';
import { Replay } from '@firmproof/protocol/audit';
import { HistoryBuilder, historyPlace } from '../support/history.ts';

const later = { delay: 7200 };
const { entries } = new HistoryBuilder()
  .register()
  .publish('1.0.0')
  .promote('1.0.0')
  .halt()
  .publish('1.0.1-rc.1', 1)
  .promote('1.0.1-rc.1')
  .revoke('1.0.0')
  .schedule(later)
  .applied(later)
  .schedule({ guardian: historyPlace.registry }, 3)
  .veto();

const replay = new Replay();
const steps = entries.map((entry) => ({ entry, event: replay.take(entry), history: replay.history }));
const file = new URL('../../docs/spec/vectors/history.json', import.meta.url);
writeFileSync(file, `${JSON.stringify({ ...historyPlace, steps }, null, 2)}\n`);
