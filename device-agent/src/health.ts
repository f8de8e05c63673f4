import { runProgram } from './installers/program.ts';

export type Health = { readonly healthy: true } | { readonly healthy: false; readonly reason: string };

/** Runs the health command until it ends or the deadline kills it and all that it has started (I5). Exit code 0 is healthy. */
export async function runHealthCommand(
  command: readonly string[],
  deadlineSeconds: number,
  environment: Readonly<Record<string, string>>,
): Promise<Health> {
  const { how, exitCode, reason } = await runProgram(command, { timeoutSeconds: deadlineSeconds, environment });
  if (how === 'exited' && exitCode === 0) return { healthy: true };
  return { healthy: false, reason: `the health command ${reason}` };
}
