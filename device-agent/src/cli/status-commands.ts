import { loadAgent } from '../agent.ts';
import { readConfig } from '../config.ts';
import { statusOf } from '../status.ts';
import { type Command, print } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { warnOfRecovery } from './update-commands.ts';

export const statusCommands = {
  status: {
    async run(options) {
      const status = await statusOf(await loadAgent(readConfig(options.configFile)));
      warnOfRecovery(status.recoveredFrom);
      print(options, status, JSON.stringify(status, null, 2));
      return exitCodes.done;
    },
  },
} satisfies Record<string, Command>;
