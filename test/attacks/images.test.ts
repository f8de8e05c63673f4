// A01, A10, A26: somebody owns the gateways that the image comes from.
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sha256 } from '@firmproof/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { makeDevice } from '../support/device.ts';
import { flipByte } from '../support/lying-server.ts';

let arena: Arena;
beforeAll(async () => {
  arena = await Arena.open();
});
afterAll(() => arena.close());

const isBlock = (path: string) => path.startsWith('/ipfs/');

describe('A01 arbitrary image', () => {
  test.each(['first', 'last'])('one flipped bit in the %s byte of a block is refused', (where) =>
    arena.resists('block-digest-mismatch', () =>
      arena.liar.lying({ block: (bytes) => flipByte(bytes, where === 'first' ? 0 : bytes.length - 1) }, () =>
        arena.device.install(),
      ),
    ),
  );

  test('another whole image is refused', () =>
    arena.resists('block-digest-mismatch', () =>
      arena.liar.lying({ block: (bytes) => randomBytes(bytes.length) }, () => arena.device.install()),
    ));

  test('a flipped byte of a later block loses only that block: the next try goes on from there', async () => {
    let blocks = 0;
    await arena.resists('block-digest-mismatch', () =>
      arena.liar.lying(
        {
          block(bytes) {
            blocks += 1;
            return blocks > 2 ? flipByte(bytes) : bytes;
          },
        },
        () => arena.device.install(),
      ),
    );
    const device = makeDevice(arena.vendor.trustRoot, [arena.liar.url]);
    try {
      arena.liar.requests.length = 0;
      await device.install();
      const whole = arena.liar.requests.filter(isBlock).length;
      arena.liar.requests.length = 0;
      await arena.recovers();
      expect(arena.liar.requests.filter(isBlock).length).toBeLessThan(whole);
    } finally {
      device.destroy();
    }
  });
});

describe('A26 wrong blocks', () => {
  const twoSources = () => makeDevice(arena.vendor.trustRoot, [arena.liar.url, arena.stack.url]);

  test('a source that lies about a block is passed over for the next', async () => {
    const device = twoSources();
    try {
      const result = await arena.liar.lying({ block: (bytes) => flipByte(bytes) }, () => device.install());
      expect(result).toMatchObject({ outcome: 'installed', version: '2.0.0' });
      expect(device.running()).toBe(sha256(arena.images['2.0.0']));
    } finally {
      device.destroy();
    }
  });

  test('a block larger than any block may be is cut off, and refused', async () => {
    const device = makeDevice(arena.vendor.trustRoot, [arena.liar.url]);
    try {
      await device.check();
      const lie = { block: () => Buffer.alloc(3 * 1024 * 1024) };
      await arena.resists('image-size-mismatch', () => arena.liar.lying(lie, () => device.install()), device);
    } finally {
      device.destroy();
    }
  });
});

describe('A10 endless data, slow retrieval', () => {
  /** Keeps sending until the other side has had enough. */
  const endless = {
    answer(request: IncomingMessage, response: ServerResponse) {
      if (!isBlock(request.url ?? '')) return false;
      const send = () => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
      };
      response.writeHead(200).on('drain', send);
      send();
      return true;
    },
  };

  test('an endless block is cut off at the largest size that a block has', async () => {
    const device = makeDevice(arena.vendor.trustRoot, [arena.liar.url]);
    try {
      await device.check();
      await arena.resists('image-size-mismatch', () => arena.liar.lying(endless, () => device.install()), device);
    } finally {
      device.destroy();
    }
  });

  test('endless evidence is cut off', async () => {
    const device = makeDevice(arena.vendor.trustRoot, [arena.liar.url]);
    try {
      const lie = {
        answer(request: IncomingMessage, response: ServerResponse) {
          const send = () => {
            while (!response.destroyed && response.write('['.repeat(64 * 1024)));
          };
          response.writeHead(200).on('drain', send);
          send();
          return request.url !== undefined;
        },
      };
      const { verdict } = await arena.liar.lying(lie, () => device.check());
      expect(verdict).toMatchObject({ outcome: 'refused', code: 'evidence-malformed' });
    } finally {
      device.destroy();
    }
  });

  test('a source below the minimum rate is given up for the next one', async () => {
    const device = makeDevice(arena.vendor.trustRoot, [arena.liar.url, arena.stack.url], {
      minimumBytesPerSecond: 1_000_000,
    });
    try {
      const drip = {
        answer(request: IncomingMessage, response: ServerResponse) {
          if (!isBlock(request.url ?? '')) return false;
          response.writeHead(200);
          const timer = setInterval(() => response.write('.'), 200);
          response.on('close', () => clearInterval(timer));
          return true;
        },
      };
      const result = await arena.liar.lying(drip, () => device.install());
      expect(result).toMatchObject({ outcome: 'installed', version: '2.0.0' });
    } finally {
      device.destroy();
    }
  });

  test('an image larger than the device takes is refused before a byte is fetched', async () => {
    const device = makeDevice(arena.vendor.trustRoot, [arena.liar.url], { maximumImageBytes: 1_000_000 });
    try {
      await device.check();
      arena.liar.requests.length = 0;
      await arena.resists('image-size-mismatch', () => device.install(), device);
      expect(arena.liar.requests.filter(isBlock)).toEqual([]);
    } finally {
      device.destroy();
    }
  });
});
