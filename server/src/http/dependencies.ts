import type { Address, ProductId, Proposal, ServerInfo } from '@firmproof/protocol';
import type { Request, Response, Router } from 'express';
import type { Logger } from 'pino';
import type { DeviceAnchors } from '../anchors/device-anchors.ts';
import type { AuditHistory } from '../audit/history.ts';
import type { ProductProofs } from '../audit/product-proofs.ts';
import type { Accounts } from '../chain/accounts.ts';
import type { Database } from '../database/database.ts';
import type { Devices } from '../devices/devices.ts';
import type { Documents } from '../documents/documents.ts';
import type { EvidenceService } from '../evidence/evidence-service.ts';
import type { Stops } from '../evidence/stops.ts';
import type { Refusals } from '../log/refusals.ts';
import type { ServerLog } from '../log/server-log.ts';
import type { OidcLogin } from '../oidc/oidc-login.ts';
import type { Approvals } from '../proposals/approvals.ts';
import type { Intake } from '../proposals/intake.ts';
import type { ProposalStore } from '../proposals/proposal-store.ts';
import type { TrustRoots } from '../proposals/trust-roots.ts';
import type { Advisories } from '../said-later/advisories.ts';
import type { Rebuilds } from '../said-later/rebuilds.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import type { Tokens } from './authentication.ts';
import type { Metrics } from './metrics.ts';
import type { UploadQuota } from './upload-quota.ts';

/** Everything the routes need. The composition root makes it once; tests make their own. */
export type Dependencies = {
  readonly config: {
    readonly evidenceMaxAgeSeconds: number;
    readonly maximumImageBytes: number;
    readonly uploadStallSeconds: number;
  };
  readonly log: Logger;
  readonly database: Database;
  readonly tokens: Tokens;
  readonly tokenStore: TokenStore;
  readonly serverLog: ServerLog;
  readonly refusals: Refusals;
  readonly webhooks: Webhooks;
  readonly oidcLogin: OidcLogin;
  readonly accounts: Accounts;
  readonly anchors: DeviceAnchors;
  readonly approvals: Approvals;
  readonly intake: Intake;
  readonly store: ProposalStore;
  readonly evidence: EvidenceService;
  readonly audit: { readonly history: AuditHistory; readonly proofs: ProductProofs };
  readonly stops: Stops;
  readonly trustRoots: TrustRoots;
  readonly rebuilds: Rebuilds;
  readonly advisories: Advisories;
  readonly devices: Devices;
  readonly documents: Documents;
  readonly metrics: Metrics;
  readonly uploadQuota: UploadQuota;
  readonly gateway: Router;
  /** The approval pages, where they are served from here. */
  readonly pages: Router | null;
  /** Streams the multipart body into the block store and turns it into a proposal; on failure nothing is kept. */
  readonly receiveRelease: (
    request: Request,
    response: Response,
    sender: { readonly product: ProductId; readonly owner: Address },
  ) => Promise<Proposal>;
  readonly info: () => ServerInfo;
  /** The origin that logins must name. */
  readonly origin: () => string;
  /** Why the server cannot do its work now, or null. */
  readonly unreadiness: () => string | null;
  /** Tells the worker that there is something to do. */
  readonly wake: () => void;
  readonly nowSeconds: () => number;
};
