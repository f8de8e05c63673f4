import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../../../../device-agent/src/installers/program.ts';
import { shell } from '../../../support/shell.ts';
import { eventually, temporaryDirectory } from '../../../support/stack.ts';

let directory: string;
beforeAll(() => {
  directory = temporaryDirectory();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const run = (script: string, timeoutSeconds = 60) => runProgram(shell(script), { timeoutSeconds });

describe('a program', () => {
  test('ends with its exit code and what it wrote', async () => {
    expect(await run('echo asked; echo wrong >&2; exit 3')).toMatchObject({
      how: 'exited',
      exitCode: 3,
      answer: 'asked\n',
      reason: expect.stringMatching(/^ended with 3: (asked wrong|wrong asked)$/),
    });
  });

  test('that is killed by somebody says by which signal', async () => {
    expect(await run('kill -TERM $$')).toMatchObject({ how: 'exited', exitCode: null, reason: 'ended with SIGTERM' });
  });

  test('that does not exist never started', async () => {
    const end = await runProgram([join(directory, 'absent')], { timeoutSeconds: 60 });
    expect(end).toMatchObject({ how: 'not-started', exitCode: null, reason: expect.stringContaining('ENOENT') });
  });

  test('finds a path, a language and what it is given in its environment, and nothing of the agent', async () => {
    const end = await runProgram(['env'], { timeoutSeconds: 60, environment: { GIVEN: 'x' } });
    expect(
      end.answer
        .trim()
        .split('\n')
        .map((line) => line.split('=')[0])
        .sort(),
    ).toEqual(['GIVEN', 'LANG', 'PATH']);
  });

  test('gets its arguments as they are: no shell reads them', async () => {
    const end = await runProgram(['/bin/echo', '$HOME; `id` *'], { timeoutSeconds: 60 });
    expect(end.answer).toBe('$HOME; `id` *\n');
  });

  test('may write without end: the beginning of its answer and the end of all it wrote are kept', async () => {
    const end = await run('head -c 5000000 /dev/zero | tr "\\0" x; echo the end >&2; exit 1');
    expect(end.answer.length).toBe(1024 * 1024);
    expect(end.reason.length).toBeLessThanOrEqual(2048 + 'ended with 1: '.length);
    expect(end.reason.endsWith('the end')).toBe(true);
  });

  test('cannot put control characters into a journal', async () => {
    expect((await run('printf "\\033[31mred\\r\\n\\007two"; exit 1')).reason).toBe('ended with 1: [31mred two');
  });

  // A40
  test('cannot put the password of an address into a journal', async () => {
    const { reason } = await run('echo "GET https://me:secret@mirror.example/x?a@b failed"; exit 1');
    expect(reason).toBe('ended with 1: GET https://mirror.example/x?a@b failed');
  });

  test('is killed with all that it has started when its time is up', async () => {
    const file = join(directory, 'child');
    const end = await run(`sleep 1000 & echo $! > ${file}; wait`, 0.5);
    expect(end).toMatchObject({ how: 'timed-out', exitCode: null, reason: 'did not end within 0.5 s' });
    const child = Number(readFileSync(file, 'utf8'));
    await eventually(
      async () => isRunning(child),
      (running) => !running,
      'the child to end',
    );
  });

  test('is not waited for once it has ended, whatever it leaves behind', async () => {
    const file = join(directory, 'left');
    const end = await run(`sleep 1000 & echo $! > ${file}`);
    expect(end).toMatchObject({ how: 'exited', exitCode: 0 });
    process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL');
  });
});

describe('what is fed to a program', () => {
  const big = Buffer.alloc(3_000_000, 'x');

  test('arrives whole, and then the end', async () => {
    const end = await runProgram(['wc', '-c'], {
      timeoutSeconds: 60,
      stdin: async (send) => {
        expect(await send(big)).toBe(true);
        return 'end';
      },
    });
    expect(end).toMatchObject({ exitCode: 0, answer: '3000000\n' });
  });

  test('never ends for a program that is killed', async () => {
    const file = join(directory, 'ended');
    const end = await runProgram(shell(`cat > /dev/null; echo ended > ${file}`), {
      timeoutSeconds: 60,
      stdin: async (send) => {
        await send(big);
        return 'kill';
      },
    });
    expect(end).toMatchObject({ how: 'killed', exitCode: null, reason: 'was killed' });
    expect(() => readFileSync(file)).toThrow('ENOENT');
  });

  test('is refused by a program that reads no more', async () => {
    let taken = true;
    const end = await runProgram(['true'], {
      timeoutSeconds: 60,
      stdin: async (send) => {
        while (taken) taken = await send(big);
        return 'end';
      },
    });
    expect(end).toMatchObject({ how: 'exited', exitCode: 0 });
    expect(taken).toBe(false);
  });
});

function isRunning(pid: number): boolean {
  try {
    // A zombie that nobody has collected yet does not run either.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
