import { FirmproofError, parseJson } from '@firmproof/protocol';
import * as z from 'zod';
import type { BootSelection } from './boot-selection.ts';
import type { RaucConfig } from './config.ts';
import type { Receiver } from './hand-over.ts';
import { type Argv, runProgram } from './program.ts';
import { slotOf } from './running-slot.ts';

const markSeconds = 60;
const statusSchema = z.object({ booted: z.string() });

/** `rauc install` writes the slots that do not run and makes them the ones to boot. */
export function raucReceiver(config: RaucConfig): Receiver {
  return {
    command: [...rauc(config), 'install', '{image}'],
    input: 'path',
    timeoutSeconds: config.timeoutSeconds,
    environment: config.environment,
  };
}

/** RAUC has the boot loader's variables, and its counters, in its own hands. */
export function raucSelection(config: RaucConfig): BootSelection {
  const { environment, bootNames } = config;
  const run = async (...args: Argv): Promise<string> => {
    const end = await runProgram([...rauc(config), 'status', ...args], { timeoutSeconds: markSeconds, environment });
    if (end.how === 'exited' && end.exitCode === 0) return end.answer;
    throw new FirmproofError('boot-environment-failed', `rauc status ${args.join(' ')} ${end.reason}`);
  };
  const running = async () => {
    const options = { code: 'running-slot-unknown', what: 'what rauc status says', maximumBytes: 1 << 20 } as const;
    const { booted } = parseJson(await run('--output-format=json'), statusSchema, options);
    return slotOf(booted, { a: [bootNames.a], b: [bootNames.b] }, 'rauc status');
  };
  return {
    running,
    tryNext: async () => 'reboot-needed',
    async confirm() {
      await run('mark-good', 'booted');
    },
    async rollBack(previous) {
      const back = previous === null || (await running()) === previous;
      const [bad, good] = back ? (['other', 'booted'] as const) : (['booted', 'other'] as const);
      await run('mark-bad', bad);
      await run('mark-active', good);
      return back ? 'running' : 'reboot-needed';
    },
  };
}

const rauc = ({ configFile }: RaucConfig): Argv => ['rauc', ...(configFile === undefined ? [] : ['-c', configFile])];
