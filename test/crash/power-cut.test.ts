// A33: the power goes at every step of an installation, before and after the journal has it.
import { install, openAgent, readConfig } from '@firmproof/device-agent';
import { sha256 } from '@firmproof/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { makeDevice } from '../support/device.ts';
import { cutPower, PowerCut } from '../support/power-cut.ts';

let arena: Arena;
beforeAll(async () => {
  arena = await Arena.open();
});
afterAll(() => arena.close());

describe.each(['before', 'after'] as const)('the power goes %s', (when) => {
  test.each(Array.from({ length: 12 }, (_, index) => index + 1))('act %d of an installation', async (act) => {
    const device = makeDevice(arena.vendor.trustRoot, [arena.stack.url], {
      health: { command: ['/bin/true'], deadlineSeconds: 20 },
    });
    try {
      const agent = await openAgent(readConfig(device.configFile));
      cutPower(agent, act, when);
      const outcome = await install(agent).catch((error: unknown) => error);
      agent.close();
      // Old (the factory image) or new, never neither.
      expect([null, sha256(arena.images['2.0.0'])]).toContain(device.running());
      if (!(outcome instanceof PowerCut)) expect(outcome).toMatchObject({ outcome: 'installed' });
      // Power comes back.
      await device.install();
      expect(await device.install()).toMatchObject({ outcome: 'current' });
      expect(device.running()).toBe(sha256(arena.images['2.0.0']));
      expect((await device.status()).installed.version).toBe('2.0.0');
    } finally {
      device.destroy();
    }
  });
});

test('a storage that is full once activation has begun: the next try finishes it', async () => {
  const device = makeDevice(arena.vendor.trustRoot, [arena.stack.url]);
  try {
    const agent = await openAgent(readConfig(device.configFile));
    const write = agent.journal.write.bind(agent.journal);
    agent.journal.write = async (change) => {
      if (change.state === 'trial') throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      await write(change);
    };
    expect(await install(agent)).toMatchObject({ outcome: 'refused', code: 'device-storage-full' });
    agent.close();
    expect(await device.status()).toMatchObject({ state: 'activating', target: '2.0.0' });
    expect(await device.install()).toMatchObject({ outcome: 'installed', version: '2.0.0' });
  } finally {
    device.destroy();
  }
});
