import { existsSync } from 'node:fs';
import * as z from 'zod';
import { runHealthCommand } from '../health.ts';

export const meteredSchema = z
  .object({
    /** The only connection of this device is metered. */
    always: z.boolean().default(false),
    /** While this file exists the connection is metered. */
    file: z.string().min(1).optional(),
    /** Exit code 0 says that the connection is metered. */
    command: z.array(z.string()).min(1).optional(),
    /** Whether security updates are downloaded all the same. */
    securityUpdates: z.boolean().default(false),
  })
  .strict();
export type Metered = z.infer<typeof meteredSchema>;

const commandSeconds = 10;

/** Whether bytes cost money now. A command that cannot run, or does not end, says no: updates must not stop for ever. */
export async function isMetered({ always, file, command }: Metered): Promise<boolean> {
  if (always || (file !== undefined && existsSync(file))) return true;
  if (command === undefined) return false;
  const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
  return (await runHealthCommand(command, commandSeconds, environment)).healthy;
}
