import * as z from 'zod';

const argument = z
  .string()
  .max(4096)
  .refine((text) => !text.includes('\0'), 'holds a null character');
const path = argument.min(1);
/** A program and its arguments. No shell reads them. */
const argv = z
  .array(argument)
  .min(1)
  .max(64)
  .refine(([program]) => program !== '', 'names no program');
const timeoutSeconds = z.number().positive().max(86_400);

/** More for the environment of every program that the installer runs, where PATH and LANG are not enough. */
const environment = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/), argument).default({});

/** Where the running system says which slot it was booted from. */
const runningSchema = z
  .strictObject({
    /** An argument of the kernel's command line, whose value is `a`, `b` or one of the slots' own names. */
    kernelArgument: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{1,64}$/)
      .optional(),
    /** A program that prints such a value. */
    command: argv.optional(),
  })
  .refine(
    ({ kernelArgument, command }) => (kernelArgument === undefined) !== (command === undefined),
    'has to name a kernelArgument or a command, not both',
  );
export type RunningConfig = z.output<typeof runningSchema>;

const variablesSchema = z
  .record(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/),
    z
      .string()
      .max(256)
      .regex(/^[ -~]*$/, 'has characters that a boot loader cannot read'),
  )
  .refine((variables) => Object.keys(variables).length > 0, 'sets nothing');

/** What to set when; `{slot}` and `{previous}` stand for the slots. An empty value removes a variable. */
const transitions = {
  /** Boot the new slot, a few times at most, and else the one before. */
  try: variablesSchema.default({ firmproof_slot: '{previous}', firmproof_try: '{slot}', firmproof_tries: '3' }),
  /** The new slot is healthy: it stays, and the boot counter is cleared. */
  confirm: variablesSchema.default({ firmproof_slot: '{slot}', firmproof_try: '', firmproof_tries: '' }),
  /** Here `{slot}` is the slot to go back to. */
  rollBack: variablesSchema.default({ firmproof_slot: '{slot}', firmproof_try: '', firmproof_tries: '' }),
  timeoutSeconds: timeoutSeconds.default(30),
};

const bootEnvironmentSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('u-boot'), configFile: path.default('/etc/fw_env.config'), ...transitions }),
  z.strictObject({ kind: z.literal('grub'), file: path.default('/boot/grub/grubenv'), ...transitions }),
  z.strictObject({
    kind: z.literal('command'),
    /** Prints `name=value`, one a line. */
    read: argv,
    /** Gets `name=value` as further arguments, all of them at once. */
    write: argv,
    ...transitions,
  }),
]);
export type BootEnvironmentConfig = z.output<typeof bootEnvironmentSchema>;

const bootSelection = { running: runningSchema, bootEnvironment: bootEnvironmentSchema };

export const programSchema = z.strictObject({ command: argv, timeoutSeconds: timeoutSeconds.default(60) });

const handOverSeconds = timeoutSeconds.default(1800);

const blockDevicesSchema = z
  .strictObject({
    kind: z.literal('block-devices'),
    slots: z.strictObject({ a: path, b: path }),
    ...bootSelection,
    environment,
  })
  .refine(({ slots }) => slots.a !== slots.b, { path: ['slots'], message: 'are one and the same device' });
export type BlockDevicesConfig = z.output<typeof blockDevicesSchema>;

const raucSchema = z.strictObject({
  kind: z.literal('rauc'),
  /** Where bundles are staged: on the data partition. */
  directory: path,
  configFile: path.optional(),
  /** What RAUC's system.conf calls the two slots for its boot loader. */
  bootNames: z.strictObject({ a: path, b: path }).default({ a: 'A', b: 'B' }),
  timeoutSeconds: handOverSeconds,
  environment,
});
export type RaucConfig = z.output<typeof raucSchema>;

const swupdateSchema = z.strictObject({
  kind: z.literal('swupdate'),
  directory: path,
  /** Beside `-i`. `{slot}` stands for the slot to write. */
  arguments: z.array(argument).max(64).default([]),
  ...bootSelection,
  timeoutSeconds: handOverSeconds,
  environment,
});
export type SwupdateConfig = z.output<typeof swupdateSchema>;

const commandSchema = z
  .strictObject({
    kind: z.literal('command'),
    directory: path,
    install: z.strictObject({
      /** `{slot}` stands for the slot to write and, where `input` is `path`, `{image}` for the image. */
      command: argv,
      input: z.enum(['stdin', 'path']).default('stdin'),
      timeoutSeconds: handOverSeconds,
    }),
    running: runningSchema.optional(),
    bootEnvironment: bootEnvironmentSchema.optional(),
    /** Goes back, where there is no boot environment. Without it the image before is installed again. */
    rollBack: programSchema.optional(),
    environment,
  })
  .superRefine((config, context) => {
    const issue = (member: string, message: string) => context.addIssue({ code: 'custom', path: [member], message });
    const { install, running, bootEnvironment, rollBack } = config;
    if ((running === undefined) !== (bootEnvironment === undefined)) {
      issue(
        running === undefined ? 'running' : 'bootEnvironment',
        'is missing: running and bootEnvironment go together',
      );
    }
    if (bootEnvironment && rollBack)
      issue('rollBack', 'is not for a device with a bootEnvironment, which goes back itself');
    const takesPath = install.command.some((part) => part.includes('{image}'));
    if (install.input === 'path' && !takesPath)
      issue('install', 'has input path, but its command does not name {image}');
    if (install.input === 'stdin' && takesPath) issue('install', 'names {image}, but its input is stdin');
  });
export type CommandConfig = z.output<typeof commandSchema>;

const filesSchema = z.strictObject({ kind: z.literal('files'), directory: path });

export const installerSchema = z.discriminatedUnion('kind', [
  filesSchema,
  blockDevicesSchema,
  raucSchema,
  swupdateSchema,
  commandSchema,
]);
export type InstallerConfig = z.output<typeof installerSchema>;

/** What runs around an installation. A hook that fails stops it; after activation it rolls it back. */
export const hooksSchema = z
  .strictObject({
    beforeInstall: programSchema.optional(),
    afterInstall: programSchema.optional(),
    beforeActivation: programSchema.optional(),
    afterActivation: programSchema.optional(),
  })
  .default({});
export type HooksConfig = z.output<typeof hooksSchema>;
export type HookName = keyof HooksConfig;
