import type { Sha256Digest } from '@firmproof/protocol';
import type { SlotName } from '../journal.ts';

/** Exactly the bytes of an image, where they are written to. */
export type ImageTarget = {
  /** How many bytes of the buffer were filled; fewer than it has room for where there are no more. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** When it returns, what was written survives a power cut. */
  sync(): Promise<void>;
  close(): Promise<void>;
};

export type ImageIdentity = { readonly digest: Sha256Digest; readonly sizeBytes: number };

/** Whether the image runs already, or will from the next boot on. */
export type Activation = 'running' | 'reboot-needed';

/**
 * How images get where the boot loader finds them. The state machine is the only one that calls it; each call can be made
 * again after a power cut in the middle of it. What they throw beside FirmproofErrors is a mistake in the agent, or a full storage.
 */
export type Installer = {
  readonly kind: string;
  /** The slot that runs now; null while the factory image does. */
  running(): Promise<SlotName | null>;
  /** The slot to write to: never the one that runs. */
  idle(): Promise<SlotName>;
  /** Opens an idle slot for exactly so many bytes. What it holds already stays: a download that broke off goes on from it. */
  open(slot: SlotName, sizeBytes: number): Promise<ImageTarget>;
  /** What the storage really holds there, hashed: at most so many bytes, or as many as the slot claims to have. */
  readBack(slot: SlotName, sizeBytes: number): Promise<ImageIdentity>;
  /** Makes an image that was read back the one that runs, on trial. What was verified is what is activated, or it throws. */
  activate(slot: SlotName, image: ImageIdentity): Promise<Activation>;
  /** The trial is over: the image stays. */
  confirm(slot: SlotName): Promise<void>;
  /** Goes back to what ran before; null is the factory image. */
  rollBack(previous: SlotName | null): Promise<Activation>;
};
