import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EvidenceDocument } from '../test/support/lying-server.ts';
import { lies } from './attacks.ts';
import type { Narrator } from './narrator.ts';
import { StoryEnded, tell } from './story.ts';
import { demoPassphrase, knownTrustRoot, openDevice, openStack, type World } from './world.ts';

export const playDirectory = resolve('play');
const ports = { server: 8440, between: 8441 } as const;

/** What the server between tells; `npm run play` writes it, the demo reads it for each answer. */
export type Told = 'honest' | keyof typeof lies;
export const toldFile = join(playDirectory, 'told.json');
const oldEvidenceFile = join(playDirectory, 'evidence-of-7.27.0.json');

/** Leaves a whole world running in ./play until Ctrl-C, and takes it up again another day. */
export async function keepRunning(narrator: Narrator): Promise<number> {
  let world: Pick<World, 'between' | 'stop'>;
  try {
    world = existsSync(oldEvidenceFile) ? await resume(narrator) : await begin(narrator);
  } catch (error) {
    if (error instanceof StoryEnded) return 1;
    throw error;
  }
  tellAsWritten(world);
  narrator.say(invitation);
  await new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done());
  });
  await world.stop();
  return 0;
}

async function begin(narrator: Narrator) {
  const { world, old } = await tell(playDirectory, narrator, ports);
  writeFileSync(oldEvidenceFile, JSON.stringify(old));
  return world;
}

async function resume(narrator: Narrator) {
  const { stack, between } = await openStack(playDirectory, ports);
  const trustRoot = knownTrustRoot(playDirectory);
  for (const name of ['kitchen', 'garage']) openDevice(playDirectory, name, trustRoot, between.url);
  narrator.say(`\nGoing on with the world in ${playDirectory}; delete it to start anew.`);
  return {
    between,
    async stop() {
      await between.stop();
      await stack.stop();
    },
  };
}

function tellAsWritten({ between }: Pick<World, 'between'>): void {
  const old: EvidenceDocument = JSON.parse(readFileSync(oldEvidenceFile, 'utf8'));
  writeFileSync(toldFile, JSON.stringify({ told: 'honest' satisfies Told }));
  Object.defineProperty(between, 'lie', {
    get: () => {
      const { told } = JSON.parse(readFileSync(toldFile, 'utf8')) as { told: Told };
      return told === 'honest' ? {} : lies[told](old);
    },
  });
}

const invitation = `
Everything keeps running in ./play until Ctrl-C. You own the server now. In another terminal:

  npm run play -- flip-byte       the gateway flips a byte of every block it sends to the garage
  npm run play -- old-release     the server offers 7.27.0 to the kitchen again
  npm run play -- forge-record    the server forges what the contract has stored
  npm run play -- honest          the garage is served truthfully, and updates

Release something as the vendor. Two of three have to approve: the build system, whose keys are here, and one more.

  export FIRMPROOF_HOME=play/vendor FIRMPROOF_PASSPHRASE=${demoPassphrase}
  npx firmproof publish README.md --version 7.29.0 --hardware prime-hub --channel stable
  npx firmproof proposal list                      # it waits, and so does the thief's 6.6.6: no device is offered either
  npx firmproof approve ID ID --home play/qa --yes # QA, with the two ids that publish has printed: now it is recorded
  npx firmproof status
  npx firmproof-agent check --config play/garage/agent.json
  npx firmproof-agent status --config play/garage/agent.json

Audit it as a stranger, who has a device's trust root and no key (docs/audit.md):

  npx firmproof audit --trust-root play/kitchen/trust-root.json --home play/auditor

The same as pages, computed in your browser: http://localhost:${ports.server}/audit/

Nothing stops you from changing anything below play/server: a device that you fool is a bug, please report it.`;
