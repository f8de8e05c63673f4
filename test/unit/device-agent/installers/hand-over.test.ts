import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@firmproof/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { handOver, type Receiver } from '../../../../device-agent/src/installers/hand-over.ts';
import { expectCode } from '../../../support/expect-code.ts';
import { shell } from '../../../support/shell.ts';
import { temporaryDirectory } from '../../../support/stack.ts';

const bytes = randomBytes(5_000_000);
let directory: string;
let file: string;
let installed: string;
beforeEach(() => {
  directory = temporaryDirectory();
  file = join(directory, 'b.image');
  installed = join(directory, 'installed');
  writeFileSync(file, bytes);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const image = () => ({ file, digest: sha256(bytes), sizeBytes: bytes.length });
const receiver = (input: Receiver['input'], script: string, timeoutSeconds = 60): Receiver => ({
  command: shell(script, file, installed, '{image}'),
  input,
  timeoutSeconds,
  environment: {},
});
const untouched = () => expect(existsSync(installed)).toBe(false);

describe('a program that reads the image on stdin', () => {
  test('gets exactly the bytes', async () => {
    await handOver(image(), receiver('stdin', 'cat > "$2"'));
    expect(readFileSync(installed).equals(bytes)).toBe(true);
  });

  test('that fails is the reason, with what it said', async () => {
    const refusing = receiver('stdin', 'cat > /dev/null; echo flash is worn out >&2; exit 4');
    await expect(handOver(image(), refusing)).rejects.toMatchObject({
      code: 'installer-failed',
      message: '/bin/sh ended with 4: flash is worn out',
    });
  });

  test('must read all of it, whatever it says at the end', async () => {
    await expectCode('installer-failed', () => handOver(image(), receiver('stdin', 'head -c 1000 > "$2"')));
  });

  test('is killed when its time is up', async () => {
    await expectCode('installer-timed-out', () => handOver(image(), receiver('stdin', 'sleep 1000', 0.5)));
  });

  // A32
  test.each([
    ['changed', 'printf x | dd of="$1" bs=1 seek=4900000 conv=notrunc 2> /dev/null'],
    ['cut short', 'truncate -s 4000000 "$1"'],
  ])('never sees the end of an image that is %s during the hand-over', async (_, attack) => {
    await expectCode('handover-mismatch', () =>
      handOver(image(), receiver('stdin', `${attack}; cat > "$2.part"; mv "$2.part" "$2"`)),
    );
    untouched();
  });
});

describe('a program that is given a path', () => {
  test('gets exactly the bytes', async () => {
    await handOver(image(), receiver('path', 'cp "$3" "$2"'));
    expect(readFileSync(installed).equals(bytes)).toBe(true);
  });

  test('is given the bytes that were verified, also after the file has been replaced; the hand-over fails', async () => {
    await expectCode('handover-mismatch', () =>
      handOver(image(), receiver('path', 'printf other > "$1.new"; mv "$1.new" "$1"; cp "$3" "$2"')),
    );
    expect(readFileSync(installed).equals(bytes)).toBe(true);
  });

  test('that is given changed bytes has installed nothing that counts', async () => {
    await expectCode('handover-mismatch', () =>
      handOver(image(), receiver('path', 'printf x | dd of="$1" bs=1 conv=notrunc 2> /dev/null; cp "$3" "$2"')),
    );
  });
});

describe('before a program is started', () => {
  test.each(['stdin', 'path'] as const)(
    'an image that was swapped since it was verified is refused (%s)',
    async (input) => {
      writeFileSync(file, randomBytes(bytes.length));
      await expectCode('handover-mismatch', () => handOver({ ...image() }, receiver(input, 'touch "$2"')));
      untouched();
    },
  );

  test('an image that is gone is refused', async () => {
    rmSync(file);
    await expectCode('handover-mismatch', () => handOver(image(), receiver('stdin', 'touch "$2"')));
    untouched();
  });

  test.each([
    ['longer', Buffer.concat([bytes, Buffer.alloc(1)])],
    ['shorter', bytes.subarray(0, -1)],
  ])('an image that became %s is refused', async (_, other) => {
    writeFileSync(file, other);
    await expectCode('handover-mismatch', () => handOver(image(), receiver('stdin', 'touch "$2"')));
    untouched();
  });
});
