/**
 * The states of an update and what leads from one to the next (docs/spec/device.md M1). Nothing happens here: the engine
 * does what a state stands for, and what came of it is the event.
 */
const table = {
  /** Nothing is under way. */
  idle: { check: 'checking' },
  /** Servers are asked what they can prove. */
  checking: { 'nothing-to-do': 'idle', 'update-proven': 'downloading', interrupted: 'idle' },
  /** The idle slot is written to, and only in this state. */
  downloading: { verified: 'staged', 'broke-off': 'idle', refused: 'failed', interrupted: 'idle' },
  /** The idle slot holds the image; whether it may still be activated is checked again. */
  staged: { 'stands-still': 'activating', 'not-now': 'idle', refused: 'failed', interrupted: 'idle' },
  /** The image is made the one that runs, or that the next boot starts. */
  activating: { activated: 'trial', refused: 'rolling-back' },
  /** The image has to show that it is healthy. */
  trial: { healthy: 'confirmed', unhealthy: 'rolling-back', 'fell-back': 'rolling-back' },
  /** The image is healthy, and the boot loader is told to keep it. */
  confirmed: { kept: 'idle', 'fell-back': 'rolling-back' },
  /** The image before is made the one that runs again. */
  'rolling-back': { back: 'failed', 'no-way-back': 'failed' },
  /** Why it failed is written down for people and receipts. */
  failed: { recorded: 'idle' },
} as const;

type Transitions = typeof table;
export type State = keyof Transitions;
/** A state in which something has to be done. */
export type WorkingState = Exclude<State, 'idle'>;
export type EventOf<S extends State> = keyof Transitions[S] & string;
export type NextOf<S extends State> = Transitions[S][keyof Transitions[S]] & State;

export const transitions: { readonly [S in State]: Readonly<Record<EventOf<S>, State>> } = table;

export const states = Object.keys(table) as [State, ...State[]];

/** The state that an event leads to. */
export function nextState<S extends State>(state: S, event: EventOf<S>): NextOf<S> {
  return table[state][event] as NextOf<S>;
}

/** What a restart does with a state that it finds in the journal (M3). */
export const afterRestart = {
  idle: 'nothing',
  // What a check has proved is known to nobody any more. Blocks that the slot holds are found again.
  checking: 'begin-again',
  downloading: 'begin-again',
  staged: 'begin-again',
  // Each of these can be done again from its beginning.
  activating: 'repeat',
  trial: 'repeat',
  confirmed: 'repeat',
  'rolling-back': 'repeat',
  failed: 'repeat',
} as const satisfies Record<State, 'nothing' | 'begin-again' | 'repeat'>;

export type AbandonedState = { [S in State]: (typeof afterRestart)[S] extends 'begin-again' ? S : never }[State];

export const isAbandoned = (state: State): state is AbandonedState => afterRestart[state] === 'begin-again';
