import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@firmproof/protocol';
import { tool } from './tools.ts';

/** A signed archive with one raw image, which goes to slot a or b as the selection says. */
export function swupdateArchive(
  keys: string,
  image: Buffer,
  slots: { readonly a: string; readonly b: string },
): Buffer {
  const content = join(keys, 'archive');
  mkdirSync(content, { recursive: true });
  const at = (name: string) => join(content, name);
  const into = (device: string) =>
    `{ images: ({ filename = "rootfs.img"; type = "raw"; device = "${device}"; sha256 = "${sha256(image)}"; }); }`;
  writeFileSync(at('rootfs.img'), image);
  writeFileSync(
    at('sw-description'),
    `software = {
      version = "2.0.0";
      hardware-compatibility = [ "1.0" ];
      stable = { a: ${into(slots.a)}; b: ${into(slots.b)}; };
    }`,
  );
  tool(
    ...['openssl', 'cms', '-sign', '-binary', '-nosmimecap', '-outform', 'DER'],
    ...['-signer', join(keys, 'cert.pem'), '-inkey', join(keys, 'key.pem')],
    ...['-in', at('sw-description'), '-out', at('sw-description.sig')],
  );
  // The description has to come first.
  execFileSync('cpio', ['--create', '--format=crc', '--quiet', '-O', at('image.swu')], {
    cwd: content,
    input: 'sw-description\nsw-description.sig\nrootfs.img\n',
  });
  return readFileSync(at('image.swu'));
}
