import { describeIssues } from '@firmproof/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hooksSchema, installerSchema } from '../../../../device-agent/src/installers/config.ts';

const mistakes = (value: unknown): readonly string[] => {
  const { error } = installerSchema.safeParse(value);
  return error ? describeIssues(error) : [];
};

const running = { kernelArgument: 'firmproof.slot' };
const bootEnvironment = { kind: 'grub' };
const blockDevices = { kind: 'block-devices', slots: { a: '/dev/a', b: '/dev/b' }, running, bootEnvironment };
const command = { kind: 'command', directory: '/data', install: { command: ['/bin/flash'] } };

describe('an installer is refused, with what to do, when it', () => {
  test.each([
    ['is of no kind', {}, /kind/],
    ['is of an unknown kind', { kind: 'magic' }, /kind/],
    ['has a member that nobody knows', { kind: 'files', directory: '/data', slot: 'a' }, /slot/],
    ['has one slot', { ...blockDevices, slots: { a: '/dev/a' } }, /slots\.b/],
    [
      'has one device for both slots',
      { ...blockDevices, slots: { a: '/dev/a', b: '/dev/a' } },
      /one and the same device/,
    ],
    ['does not say what runs', { ...blockDevices, running: {} }, /kernelArgument or a command/],
    [
      'says in two ways what runs',
      { ...blockDevices, running: { ...running, command: ['/bin/which-slot'] } },
      /kernelArgument or a command/,
    ],
    ['has no boot environment', { ...blockDevices, bootEnvironment: undefined }, /bootEnvironment/],
    [
      'has an unknown boot environment',
      { ...blockDevices, bootEnvironment: { kind: 'lilo' } },
      /bootEnvironment\.kind/,
    ],
    ['sets no variable', { ...blockDevices, bootEnvironment: { ...bootEnvironment, try: {} } }, /sets nothing/],
    [
      'sets a variable to two lines',
      { ...blockDevices, bootEnvironment: { ...bootEnvironment, try: { slot: 'a\nbootcmd=x' } } },
      /cannot read/,
    ],
    [
      'sets a variable with a name that is none',
      { ...blockDevices, bootEnvironment: { ...bootEnvironment, try: { 'a=b': 'c' } } },
      /try/,
    ],
    ['names no program', { ...command, install: { command: [] } }, /install\.command/],
    ['names an empty program', { ...command, install: { command: [''] } }, /names no program/],
    ['is a line for a shell', { ...command, install: { command: '/bin/flash --now' } }, /install\.command/],
    [
      'takes a path without a place for it',
      { ...command, install: { command: ['x'], input: 'path' } },
      /does not name \{image\}/,
    ],
    ['takes stdin and a path', { ...command, install: { command: ['x', '{image}'] } }, /its input is stdin/],
    ['never ends', { ...command, install: { command: ['x'], timeoutSeconds: 0 } }, /timeoutSeconds/],
    ['has a boot environment, but does not say what runs', { ...command, bootEnvironment }, /go together/],
    ['says what runs, but has no boot environment', { ...command, running }, /go together/],
    [
      'goes back in two ways',
      { ...command, running, bootEnvironment, rollBack: { command: ['x'] } },
      /goes back itself/,
    ],
    ['has a variable for its programs that is none', { ...command, environment: { 'A=B': 'c' } }, /environment/],
    ['has an argument with a null character', { ...command, install: { command: ['x', 'a\0b'] } }, /null character/],
  ])('%s', (_, value, expected) => {
    expect(mistakes(value).join('; ')).toMatch(expected);
  });
});

test('an installer that is complete has all its defaults', () => {
  expect(installerSchema.parse(blockDevices)).toMatchObject({
    bootEnvironment: {
      file: '/boot/grub/grubenv',
      try: { firmproof_slot: '{previous}', firmproof_try: '{slot}', firmproof_tries: '3' },
      timeoutSeconds: 30,
    },
    environment: {},
  });
  expect(installerSchema.parse(command)).toMatchObject({ install: { input: 'stdin', timeoutSeconds: 1800 } });
});

test('a hook that nobody runs is a mistake', () => {
  expect(hooksSchema.safeParse({ beforeLunch: { command: ['x'] } }).success).toBe(false);
});

test('whatever is configured is taken or refused, never a crash', () => {
  fc.assert(
    fc.property(fc.object({ key: fc.constantFrom('kind', 'slots', 'a', 'running', 'install', 'command') }), (value) => {
      expect(() => installerSchema.safeParse({ ...command, ...value })).not.toThrow();
    }),
  );
});
