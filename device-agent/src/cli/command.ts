/** Options that only some commands take. */
export const flagOptions = {
  now: { type: 'boolean' },
  'accept-old-block': { type: 'boolean' },
  until: { type: 'string' },
  feature: { type: 'boolean' },
  release: { type: 'boolean' },
  'claim-token': { type: 'string' },
  factory: { type: 'boolean' },
  'new-owner': { type: 'boolean' },
} as const;

export type Flags = {
  -readonly [Name in keyof typeof flagOptions]?: (typeof flagOptions)[Name]['type'] extends 'string' ? string : boolean;
};

export type Options = {
  readonly configFile: string;
  readonly json: boolean;
  /** The output leads to systemd's journal. */
  readonly toJournal: boolean;
  /** What follows the name of the command. */
  readonly words: readonly string[];
  readonly flags: Flags;
};

export type Command = {
  /** How many words may follow its name; none where absent. */
  readonly words?: number;
  readonly flags?: readonly (keyof Flags)[];
  /** Answers the exit code. */
  readonly run: (options: Options) => Promise<number>;
};

/** One line of JSON for machines, or text for people. */
export function print({ json }: Pick<Options, 'json'>, value: object, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(value) : text}\n`);
}
