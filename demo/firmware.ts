import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';

const packages = { '7.27.0': '@pybricks/firmware-7.27', '7.28.0': '@pybricks/firmware' } as const;
export type FirmwareVersion = keyof typeof packages;

/** Real firmware of the LEGO Prime hub, from npm (MIT), written where a vendor's build would leave it. */
export function primeHubFirmware(version: FirmwareVersion, directory: string): string {
  const entry = createRequire(import.meta.url).resolve(packages[version]);
  const archive = unzipSync(readFileSync(join(dirname(entry), 'primehub.zip')));
  const image = archive['firmware-base.bin'];
  if (image === undefined) throw new Error(`${packages[version]} has no firmware-base.bin for the Prime hub`);
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `prime-hub-${version}.bin`);
  writeFileSync(file, image);
  return file;
}
