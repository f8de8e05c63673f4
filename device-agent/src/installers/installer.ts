import type { Sha256Digest } from '@firmproof/protocol';
import type { SlotName } from '../journal.ts';

/** Exactly the bytes of an image, where they are written to. */
export type ImageTarget = {
  /** How many bytes of the buffer were filled; fewer than it has room for where there are no more. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  write(bytes: Uint8Array, position: number): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
};

export type ImageIdentity = { readonly digest: Sha256Digest; readonly sizeBytes: number };

export type Activation = 'running' | 'reboot-needed';

export type Installer = {
  readonly kind: string;
  running(): Promise<SlotName | null>;
  idle(): Promise<SlotName>;
  open(slot: SlotName, sizeBytes: number): Promise<ImageTarget>;
  readBack(slot: SlotName, sizeBytes: number): Promise<ImageIdentity>;
  activate(slot: SlotName, image: ImageIdentity): Promise<Activation>;
  confirm(slot: SlotName): Promise<void>;
  rollBack(previous: SlotName | null): Promise<Activation>;
};
