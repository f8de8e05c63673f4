import {
  type DeviceResource,
  deviceResourceSchema,
  type FleetSummary,
  type FleetTimeline,
  fleetSummarySchema,
  fleetTimelineSchema,
  type ProductId,
  pageOf,
  type StoredReceipt,
  storedReceiptSchema,
} from '@firmproof/protocol';
import type * as z from 'zod';
import { readFrom } from '../../server/request.ts';

const shownDevices = 50;
/** As many as the server gives. */
const receiptsAPage = 100;

/** Where a page begins: where the last one ended, at a device, or at the first of all. */
export type Begin = { readonly cursor: string } | { readonly from: string } | Record<string, never>;

type Page<Item> = { readonly items: readonly Item[]; readonly next?: string | undefined };

/** What a server tells the vendor of a product alone. */
export class FleetReader {
  readonly #server: string;
  readonly #token: string;
  readonly product: ProductId;

  constructor(server: string, token: string, product: ProductId) {
    this.#server = server;
    this.#token = token;
    this.product = product;
  }

  #read<Schema extends z.ZodType>(schema: Schema, path: string): Promise<z.output<Schema>> {
    const headers = { authorization: `Bearer ${this.#token}` };
    return readFrom(this.#server, schema, `/v1/products/${this.product}/${path}`, { headers });
  }

  summary = (): Promise<FleetSummary> => this.#read(fleetSummarySchema, 'fleet');
  timeline = (): Promise<FleetTimeline> => this.#read(fleetTimelineSchema, 'fleet/timeline');
  flagged = (): Promise<Page<DeviceResource>> =>
    this.#read(pageOf(deviceResourceSchema), `devices?flagged=true&limit=${shownDevices}`);

  /** Receipts as they were signed, device by device in the order of their keys' digests. */
  receipts = (begin: Begin): Promise<Page<StoredReceipt>> => {
    const query = new URLSearchParams({ limit: String(receiptsAPage), ...begin });
    return this.#read(pageOf(storedReceiptSchema), `receipts?${query}`);
  };
}

/** What the page shows at once. */
export type FleetFacts = {
  readonly summary: FleetSummary;
  readonly timeline: FleetTimeline;
  readonly flagged: readonly DeviceResource[];
};

/** @throws FirmproofError `token-invalid`, `token-scope`, `server-unreachable` */
export async function loadFleet(reader: FleetReader): Promise<FleetFacts> {
  const [summary, timeline, flagged] = await Promise.all([reader.summary(), reader.timeline(), reader.flagged()]);
  return { summary, timeline, flagged: flagged.items };
}
