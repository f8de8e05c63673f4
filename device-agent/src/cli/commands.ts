import { choiceCommands } from './choice-commands.ts';
import type { Command } from './command.ts';
import { identityCommands } from './identity-commands.ts';
import { statusCommands } from './status-commands.ts';
import { updateCommands } from './update-commands.ts';

export const commands: Readonly<Record<string, Command>> = {
  ...updateCommands,
  ...statusCommands,
  ...choiceCommands,
  ...identityCommands,
};
