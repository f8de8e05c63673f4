// `npm run demo`: the whole path and eight attempts to break it. `npm run -s demo -- --json` for machines, `-- --play` to go on by hand.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { attack } from './attacks.ts';
import { Narrator } from './narrator.ts';
import { keepRunning } from './playground.ts';
import { StoryEnded, tell } from './story.ts';

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, play: { type: 'boolean', default: false } },
});
const narrator = new Narrator(values.json);

narrator.say('Firmproof: servers carry, the chain decides, the device proves.');
process.exitCode = values.play ? await keepRunning(narrator) : await demonstrate();

async function demonstrate(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'firmproof-demo-'));
  try {
    const { world, old } = await tell(directory, narrator, { server: 0, between: 0 });
    try {
      await attack(world, narrator, old);
    } finally {
      await world.stop();
    }
  } catch (error) {
    if (!(error instanceof StoryEnded)) throw error;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  const ok = narrator.finish();
  narrator.say(
    ok
      ? '\nEvery step did what it claims. Try it yourself: npm run demo -- --play'
      : '\nA step did not do what it claims, see above.',
  );
  return ok ? 0 : 1;
}
