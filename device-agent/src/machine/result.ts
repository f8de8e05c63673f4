import { type DeviceCode, isDeviceCode, isFirmproofError, outcomeOf, type Verdict } from '@firmproof/protocol';
import { isStorageFull } from '@firmproof/protocol/node/system-error';

/** What one round came to. */
export type InstallResult =
  | { readonly outcome: 'installed' | 'on-trial' | 'reboot-needed'; readonly version: string }
  | {
      readonly outcome: 'rolled-back';
      readonly version: string;
      readonly code: DeviceCode;
      readonly message: string;
    }
  | Exclude<Verdict, { outcome: 'update' }>;

export type Refusal = {
  readonly outcome: ReturnType<typeof outcomeOf>;
  readonly code: DeviceCode;
  readonly message: string;
};

export const refusal = (code: DeviceCode, message: string): Refusal => ({ outcome: outcomeOf(code), code, message });

/** What went wrong, if it is something that a device has a code for. @throws what it has none for */
export function explain(error: unknown): Refusal {
  if (isFirmproofError(error) && isDeviceCode(error.code)) return refusal(error.code, error.message);
  if (isStorageFull(error)) return refusal('device-storage-full', 'the storage of the device is full');
  throw error;
}
