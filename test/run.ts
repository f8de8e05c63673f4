// `npm test`: all tests of Vitest and forge, the gas snapshot, and one closing line that adds them up.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';

type Count = { passed: number; failed: number };

const directory = mkdtempSync(join(tmpdir(), 'firmproof-test-'));
// Hundreds of commands are started: each reads what the first one has compiled.
process.env['NODE_COMPILE_CACHE'] = join(directory, 'compile-cache');

function run(
  command: string,
  args: readonly string[],
  onOutput?: (text: string) => void,
  priority = 0,
): Promise<number> {
  const child = spawn(command, args, { stdio: ['ignore', onOutput ? 'pipe' : 'inherit', 'inherit'] });
  if (child.pid !== undefined && priority !== 0) setPriority(child.pid, priority);
  child.stdout?.setEncoding('utf8').on('data', (text: string) => onOutput?.(text));
  return new Promise((resolve, reject) => child.on('error', reject).on('close', (code) => resolve(code ?? 1)));
}

type Failed = { file: string; name: string; messages: readonly string[] };

const failures: Failed[] = [];

async function vitest(): Promise<Count> {
  const report = join(directory, 'vitest.json');
  const code = await run('vitest', ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]);
  const {
    numPassedTests: passed,
    numFailedTests: failed,
    testResults,
  } = JSON.parse(readFileSync(report, 'utf8')) as {
    numPassedTests: number;
    numFailedTests: number;
    testResults: {
      name: string;
      status: string;
      message: string;
      assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
    }[];
  };
  for (const { name: file, status, message, assertionResults } of testResults) {
    if (status === 'failed' && message) failures.push({ file, name: 'the file itself', messages: [message] });
    for (const { fullName: name, status: result, failureMessages: messages } of assertionResults)
      if (result === 'failed') failures.push({ file, name, messages });
  }
  // A file that does not load has no failed test of its own, and still must not pass.
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed };
}

/** Takes what time of the processors others leave: its output comes when `isAlone`. */
async function forge(isAlone: Promise<unknown>): Promise<Count> {
  let output = '';
  const collect = (text: string) => {
    output += text;
  };
  const code = await run('forge', ['test', '--root', 'contracts'], collect, constants.priority.PRIORITY_LOW);
  await isAlone;
  process.stdout.write(output);
  const plain = output.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '');
  const total = /(\d+) tests passed, (\d+) failed, \d+ skipped \(\d+ total tests\)/.exec(plain);
  const passed = Number(total?.[1] ?? 0);
  const failed = Number(total?.[2] ?? 0);
  return { passed, failed: (code !== 0 || passed === 0) && failed === 0 ? 1 : failed };
}

/** What a release costs is part of the contract: contracts/.gas-snapshot holds it, `forge snapshot` renews it. */
async function gasSnapshot(): Promise<Count> {
  let output = '';
  const file = 'contracts/.gas-snapshot';
  const figures = readFileSync(file, 'utf8').trim().split('\n').length;
  const code = await run(
    'forge',
    ['snapshot', '--root', 'contracts', '--match-contract', 'GasTest', '--check', file],
    (text) => {
      output += text;
      process.stdout.write(text);
    },
  );
  // The npm package's wrapper ends with 0 all the same: the text is what tells.
  const all = new RegExp(`\\b${figures} tests passed, 0 failed`);
  if (code === 0 && all.test(output) && !output.includes('Diff in')) return { passed: 1, failed: 0 };
  failures.push({
    file,
    name: 'the figures are those of the snapshot',
    messages: [`${figures} figures were expected`],
  });
  return { passed: 0, failed: 1 };
}

try {
  // Tests wait now and then, for blocks and for processes: the contracts are compiled and tested meanwhile.
  const others = vitest();
  const counts = [...(await Promise.all([others, forge(others)])), await gasSnapshot()];
  const passed = counts.reduce((sum, count) => sum + count.passed, 0);
  const failed = counts.reduce((sum, count) => sum + count.failed, 0);
  // Said once more at the end: of a long log, people are often shown no more than that.
  for (const { file, name, messages } of failures)
    console.log(`\nfailed: ${relative(process.cwd(), resolve(file))} > ${name}\n${messages.join('\n')}`);
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
