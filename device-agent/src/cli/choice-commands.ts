import { FirmproofError } from '@firmproof/protocol';
import { type Agent, viewAgent } from '../agent.ts';
import { readConfig } from '../config.ts';
import { hold, postpone, releaseHold } from '../policy/choice.ts';
import { parseDurationSeconds, parseTimeSeconds, timeText } from '../policy/duration.ts';
import { type Command, type Options, print } from './command.ts';
import { exitCodes } from './exit-codes.ts';

/** Without the lock of the data directory: people choose while an update is on its way, too. */
const agentOf = ({ configFile }: Options): Agent => viewAgent(readConfig(configFile));

export const choiceCommands = {
  hold: {
    flags: ['until', 'feature', 'release'],
    async run(options) {
      const { until, feature, release } = options.flags;
      if (release && (until !== undefined || feature))
        throw new FirmproofError('usage-invalid', '--release stands alone');
      const agent = agentOf(options);
      if (release) {
        await releaseHold(agent);
        print(options, { hold: null }, 'updates go on: nothing is held or postponed');
        return exitCodes.done;
      }
      const untilSeconds = until === undefined ? null : parseTimeSeconds(until);
      const updates = feature ? 'feature' : 'all';
      await hold(agent, { untilSeconds, updates });
      const end = untilSeconds === null ? 'until `firmproof-agent hold --release`' : `until ${timeText(untilSeconds)}`;
      print(options, { hold: { updates, untilSeconds } }, `${feature ? 'feature' : 'all'} updates are held ${end}`);
      return exitCodes.done;
    },
  },

  postpone: {
    words: 1,
    async run(options) {
      const [duration] = options.words;
      if (duration === undefined)
        throw new FirmproofError('usage-invalid', 'say for how long: firmproof-agent postpone 3d');
      const seconds = parseDurationSeconds(duration);
      const untilSeconds = await postpone(agentOf(options), seconds);
      print(options, { postponed: { untilSeconds } }, `updates are postponed until ${timeText(untilSeconds)}`);
      return exitCodes.done;
    },
  },
} satisfies Record<string, Command>;
