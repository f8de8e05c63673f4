import { randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PreparedRelease, type ReleaseOptions, Vendor } from '@firmproof/client';
import { parseVersion } from '@firmproof/protocol';
import { boundary } from './http.ts';
import type { Stack, TestVendor } from './stack.ts';

export type Upload = PreparedRelease & { readonly bytes: Buffer; readonly approval: string; readonly file: string };

/** A stack, a vendor and its token, to send what the vendor's own command never would. */
export class Uploader {
  readonly stack: Stack;
  readonly vendor: TestVendor;
  readonly token: string;

  private constructor(stack: Stack, vendor: TestVendor, token: string) {
    this.stack = stack;
    this.vendor = vendor;
    this.token = token;
  }

  static async open(stack: Stack, vendor: TestVendor): Promise<Uploader> {
    const { token } = await Vendor.login(vendor.vendor.client, vendor.vendor.approver);
    return new Uploader(stack, vendor, token.token);
  }

  get url(): string {
    return `${this.stack.url}/v1/products/${this.vendor.product}/releases`;
  }

  async prepare(version: string, bytes = randomBytes(5000), options: Partial<ReleaseOptions> = {}): Promise<Upload> {
    const file = join(this.stack.directory, `upload-${version}.bin`);
    writeFileSync(file, bytes);
    const { vendor, product, buildKey } = this.vendor;
    const prepared = await vendor.prepare(file, { product, version: parseVersion(version), ...options }, buildKey);
    const { message, by: signature } = prepared;
    return { ...prepared, bytes, file, approval: JSON.stringify({ message, signature }) };
  }

  /** Sends a body as it is, with the publisher's token. */
  send(body: Buffer | string | ReadableStream, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.url, {
      method: 'POST',
      headers: {
        ...(headers['authorization'] === undefined && { authorization: `Bearer ${this.token}` }),
        'content-type': `multipart/form-data; boundary=${boundary}`,
        ...headers,
      },
      body,
      ...(body instanceof ReadableStream && { duplex: 'half' as const }),
    });
  }

  /** How many blocks the server keeps. */
  blocks(): number {
    const entries = readdirSync(join(this.stack.directory, 'blocks'), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).length;
  }
}
