// `npm run play -- flip-byte | old-release | forge-record | honest`: be the server, try to fool a device.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { install, openAgent, readConfig } from '@firmproof/device-agent';
import { errorCatalogue } from '@firmproof/protocol';
import { playDirectory, type Told, toldFile } from './playground.ts';

const attempts: Readonly<Record<Told, { readonly device: 'kitchen' | 'garage'; readonly story: string }>> = {
  'flip-byte': {
    device: 'garage',
    story: 'The gateway flips one byte of every block; the garage device tries to update.',
  },
  'old-release': {
    device: 'kitchen',
    story: 'The server offers 7.27.0 again; the kitchen device, on a newer one, looks for updates.',
  },
  'forge-record': {
    device: 'garage',
    story: 'The server forges the stored commitment; the garage device tries to update.',
  },
  honest: { device: 'garage', story: 'The server tells the truth; the garage device looks for updates.' },
};

const [told = ''] = process.argv.slice(2);
if (!Object.hasOwn(attempts, told)) {
  console.error(`usage: npm run play -- ${Object.keys(attempts).join(' | ')}`);
  process.exitCode = 2;
} else if (!existsSync(toldFile)) {
  console.error('Nothing is running in ./play: start it with npm run demo -- --play');
  process.exitCode = 2;
} else await play(told as Told);

async function play(told: Told): Promise<void> {
  const { device, story } = attempts[told];
  console.log(story);
  writeFileSync(toldFile, JSON.stringify({ told }));
  try {
    const agent = await openAgent(readConfig(join(playDirectory, device, 'agent.json')));
    try {
      const result = await install(agent);
      if (!('message' in result)) console.log(`${result.outcome}: ${result.version}`);
      else console.log(`${result.outcome}: ${result.message} [${result.code}]\n${errorCatalogue[result.code].meaning}`);
      console.log(`The ${device} device runs ${agent.journal.entry.installed.version}.`);
    } finally {
      agent.close();
    }
  } finally {
    writeFileSync(toldFile, JSON.stringify({ told: 'honest' satisfies Told }));
  }
}
