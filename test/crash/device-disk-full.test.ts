import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { firmproofAgent } from '../support/command.ts';
import { makeDevice } from '../support/device.ts';

let arena: Arena;
beforeAll(async () => {
  arena = await Arena.open();
});
afterAll(() => arena.close());

const canMount = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

/** Runs the agent with this directory of the device on a file system of its own, of so many bytes. */
async function installOn(directory: string, size: string, configFile: string) {
  const script = `mkdir -p ${directory} && mount -t tmpfs -o size=${size} tmpfs ${directory} && exec ${process.execPath} ${firmproofAgent} install --json --config ${configFile}`;
  const child = spawn('unshare', ['-rm', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = await once(child, 'close');
  return { code, output };
}

test.skipIf(!canMount)(
  'a device without room for the image says so, keeps what runs, and updates once there is room',
  async () => {
    const device = makeDevice(arena.vendor.trustRoot, [arena.stack.url]);
    try {
      await device.check();
      const before = await device.fingerprint();
      const { code, output } = await installOn(`${device.directory}/slots`, '2m', device.configFile);
      expect(JSON.parse(output)).toMatchObject({ outcome: 'refused', code: 'device-storage-full' });
      expect(code).toBe(30);
      expect(await device.fingerprint()).toEqual(before);
      const data = await installOn(`${device.directory}/data`, '4k', device.configFile);
      expect(JSON.parse(data.output)).toMatchObject({ code: 'device-storage-full' });
      expect(data.code).toBe(30);
      expect(await device.install()).toMatchObject({ outcome: 'installed', version: '2.0.0' });
    } finally {
      device.destroy();
    }
  },
);
