import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

/** A program and its arguments: never a line for a shell. */
export type Argv = readonly string[];

export type ProgramOptions = {
  readonly timeoutSeconds: number;
  /** Everything that the program finds in its environment beside PATH and LANG. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly stdin?: StdinWriter;
};

/**
 * Feeds a program. `send` waits while the program is busy, and answers false once it reads no more. The result says whether
 * the program may see the end of its input; if not, it is killed before it can.
 */
export type StdinWriter = (send: (bytes: Uint8Array) => Promise<boolean>) => Promise<'end' | 'kill'>;

export type ProgramEnd = {
  readonly how: 'exited' | 'timed-out' | 'killed' | 'not-started';
  /** Null unless it exited by itself. */
  readonly exitCode: number | null;
  /** How it ended in words, with the end of what it wrote, as `ended with 3: cannot open /dev/x`. */
  readonly reason: string;
  /** The beginning of its standard output. */
  readonly answer: string;
};

const maximumReasonCharacters = 2048;
const maximumAnswerCharacters = 1024 * 1024;
/** For what is still in the pipes when it ends; what it has started may hold them open for ever. */
const drainMilliseconds = 500;

export const programPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Runs a program in a process group of its own; when its time is up, the whole group is killed (I5). Never throws. */
export async function runProgram(argv: Argv, options: ProgramOptions): Promise<ProgramEnd> {
  const [program = '', ...args] = argv;
  const { timeoutSeconds, environment, stdin } = options;
  const child = spawn(program, args, {
    stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    env: { PATH: programPath, LANG: 'C', ...environment },
    detached: true,
  });
  const output = collectOutput(child);
  const ended = endOf(child);
  let killed: 'timed-out' | 'killed' | null = null;
  const kill = (why: 'timed-out' | 'killed') => {
    killed ??= why;
    killGroup(child);
  };
  const deadline = setTimeout(() => kill('timed-out'), timeoutSeconds * 1000);
  const feeding = stdin && feed(child, stdin, () => kill('killed'));
  const end = await ended;
  clearTimeout(deadline);
  await feeding;
  await Promise.race([output.closed, pause(drainMilliseconds, undefined, { ref: false })]);
  child.stdout?.destroy();
  child.stderr?.destroy();
  return describeEnd(end, killed, timeoutSeconds, output);
}

type Ending = { readonly code: number | null; readonly signal: string | null } | { readonly error: string };

function describeEnd(
  end: Ending,
  killed: 'timed-out' | 'killed' | null,
  timeoutSeconds: number,
  { answer, tail }: { answer(): string; tail(): string },
): ProgramEnd {
  if ('error' in end) return { how: 'not-started', exitCode: null, reason: `cannot run: ${end.error}`, answer: '' };
  const words =
    killed === 'timed-out'
      ? `did not end within ${timeoutSeconds} s`
      : killed === 'killed'
        ? 'was killed'
        : `ended with ${end.code ?? end.signal}`;
  const said = tail();
  return {
    how: killed ?? 'exited',
    exitCode: killed === null ? end.code : null,
    reason: said === '' ? words : `${words}: ${said}`,
    answer: answer(),
  };
}

function endOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ error: error.message }));
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
}

/** Everything is read, so that the program is never held up; little of it is kept. */
function collectOutput(child: ChildProcess) {
  let answer = '';
  let tail = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (answer.length < maximumAnswerCharacters) answer += text.slice(0, maximumAnswerCharacters - answer.length);
    tail = (tail + text).slice(-maximumReasonCharacters);
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-maximumReasonCharacters);
  });
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
  return { closed, answer: () => answer, tail: () => printable(tail) };
}

/** What a program writes ends in journals and logs: on one line, without control characters or the passwords of addresses. */
function printable(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .replace(/:\/\/[^\s/@]*@/g, '://')
    .trim();
}

async function feed(child: ChildProcess, write: StdinWriter, kill: () => void): Promise<void> {
  const { stdin } = child;
  if (stdin === null) return;
  let open = true;
  const closed = new Promise<void>((resolve) => {
    const close = () => {
      open = false;
      resolve();
    };
    // A program may end without reading all: how it ended says whether that was right.
    stdin.on('error', close).on('close', close);
  });
  const send = async (bytes: Uint8Array) => {
    if (!open) return false;
    if (!stdin.write(bytes)) await Promise.race([new Promise((resolve) => stdin.once('drain', resolve)), closed]);
    return open;
  };
  const verdict = await write(send).catch(() => 'kill' as const);
  if (verdict === 'kill') kill();
  else stdin.end();
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The whole group has ended already.
  }
}
