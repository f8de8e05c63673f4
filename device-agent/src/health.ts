import { spawn } from 'node:child_process';

export type Health = { readonly healthy: true } | { readonly healthy: false; readonly reason: string };

/** Runs the health command, without a shell, until it ends or the deadline kills it. Exit code 0 is healthy. */
export function runHealthCommand(
  command: readonly string[],
  deadlineSeconds: number,
  environment: Record<string, string>,
): Promise<Health> {
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'ignore', env: environment });
    const deadline = setTimeout(() => {
      child.kill('SIGKILL');
      resolve({ healthy: false, reason: `the health command did not end within ${deadlineSeconds} s` });
    }, deadlineSeconds * 1000);
    const end = (health: Health) => {
      clearTimeout(deadline);
      resolve(health);
    };
    child.on('error', (error) => end({ healthy: false, reason: `the health command cannot run: ${error.message}` }));
    child.on('exit', (code, signal) =>
      end(
        code === 0 ? { healthy: true } : { healthy: false, reason: `the health command ended with ${code ?? signal}` },
      ),
    );
  });
}
