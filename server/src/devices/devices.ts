import type { Rpc } from '@firmproof/protocol/node';
import type { Database } from '../database/database.ts';
import { createRateLimit } from '../http/rate-limit.ts';
import type { ServerLog } from '../log/server-log.ts';
import type { FlagWatcher } from '../webhooks/other-events.ts';
import { createClaimTokens } from './claim-tokens.ts';
import { createEnrolments } from './enrolments.ts';
import { createFactoryImports } from './factory-imports.ts';
import { createFleet } from './fleet.ts';
import { createFleetTimeline } from './fleet-timeline.ts';
import { createReceiptRegister } from './receipt-register.ts';
import { createReceipts } from './receipts.ts';
import { createViews } from './views.ts';

/** A device that was offline for long has a full queue; it has no more to say. */
const receiptsPerMinute = 60;

export type Devices = ReturnType<typeof createDevices>;

/** Devices that this server knows: how they are enrolled, and what they sign (docs/spec/receipts.md). */
export function createDevices(options: {
  readonly database: Database;
  readonly serverLog: ServerLog;
  /** Is told of each device that somebody should look at. */
  readonly onFlag: FlagWatcher;
  readonly rpc: Rpc;
  readonly maximumPending: number;
  readonly nowSeconds: () => number;
}) {
  const { database, serverLog, nowSeconds } = options;
  const claimTokens = createClaimTokens({ database, serverLog, nowSeconds });
  const views = createViews(options);
  return {
    claimTokens,
    views,
    enrolments: createEnrolments({ ...options, claimTokens }),
    imports: createFactoryImports({ database, serverLog, nowSeconds }),
    receipts: createReceipts({
      database,
      views,
      onFlag: options.onFlag,
      mayStillSend: createRateLimit({ perMinute: receiptsPerMinute, nowSeconds }),
      nowSeconds,
    }),
    register: createReceiptRegister({ database }),
    fleet: createFleet({ database }),
    timeline: createFleetTimeline(database),
  };
}
