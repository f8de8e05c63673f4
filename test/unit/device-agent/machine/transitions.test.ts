import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  afterRestart,
  isAbandoned,
  nextState,
  type State,
  states,
  transitions,
} from '../../../../device-agent/src/machine/transitions.ts';

const eventsOf = (state: State): readonly string[] => Object.keys(transitions[state]);
const follow = (state: State, event: string): State => nextState(state, event as never);

/** All states that can come after this one. */
function reachable(from: State, allowed: (event: string) => boolean = () => true): ReadonlySet<State> {
  const found = new Set<State>();
  const open = [from];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    for (const event of eventsOf(state).filter(allowed)) {
      const next = follow(state, event);
      if (!found.has(next)) open.push(next);
      found.add(next);
    }
  }
  return found;
}

/** What happens although nothing goes well: everything fails that can. */
const isMisfortune = (event: string) =>
  [
    'nothing-to-do',
    'interrupted',
    'broke-off',
    'not-now',
    'refused',
    'unhealthy',
    'fell-back',
    'back',
    'no-way-back',
    'recorded',
  ].includes(event);

describe('the table of transitions', () => {
  test('has the states of an update and no others', () => {
    expect([...states]).toEqual([
      'idle',
      'checking',
      'downloading',
      'staged',
      'activating',
      'trial',
      'confirmed',
      'rolling-back',
      'failed',
    ]);
  });

  test('leads from idle to every state, and from every state back to idle', () => {
    expect(new Set([...reachable('idle')])).toEqual(new Set(states));
    for (const state of states) expect(reachable(state).has('idle'), state).toBe(true);
  });

  test('has no dead end: every state has an event, and every event a state', () => {
    for (const state of states) {
      expect(eventsOf(state).length, state).toBeGreaterThan(0);
      for (const event of eventsOf(state)) expect(states).toContain(follow(state, event));
    }
  });

  test.each(states.filter((state) => state !== 'idle'))('%s ends in idle even if everything fails', (state) => {
    expect(reachable(state, isMisfortune).has('idle')).toBe(true);
  });

  test('lets a restart begin again only where nothing runs yet that did not run before', () => {
    for (const state of states) {
      if (isAbandoned(state)) expect(follow(state, 'interrupted')).toBe('idle');
      else expect(eventsOf(state)).not.toContain('interrupted');
    }
    expect(states.filter((state) => afterRestart[state] === 'begin-again')).toEqual([
      'checking',
      'downloading',
      'staged',
    ]);
  });
});

/** Two slots as a walk through the table leaves them. */
type Slots = { runs: 0 | 1; boots: 0 | 1; verified: [boolean, boolean]; confirmed: 0 | 1 };

/** What each event means for the slots. */
function walk(slots: Slots, state: State, event: string): void {
  const idle = (1 - slots.confirmed) as 0 | 1;
  if (state === 'checking' && event === 'update-proven') {
    // From here on the idle slot is written to.
    expect([slots.runs, slots.boots], 'what runs or boots is written to').not.toContain(idle);
    slots.verified[idle] = false;
  }
  if (state === 'downloading' && event === 'verified') slots.verified[idle] = true;
  if (state === 'activating') {
    expect(slots.verified[idle], 'what is activated was verified').toBe(true);
    // The switch may have been made or not.
    slots.boots = slots.runs = idle;
  }
  if (state === 'confirmed' && event === 'kept') slots.confirmed = idle;
  if (state === 'rolling-back' || event === 'fell-back') slots.boots = slots.runs = slots.confirmed;
}

test('whatever happens, the slot that boots is whole, and the confirmed one is never written to', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100), { maxLength: 60 }), (choices) => {
      let state: State = 'idle';
      const slots: Slots = { runs: 0, boots: 0, verified: [true, false], confirmed: 0 };
      for (const choice of choices) {
        const events = eventsOf(state);
        const event = events[choice % events.length] ?? '';
        walk(slots, state, event);
        state = follow(state, event);
        expect(slots.verified[slots.boots]).toBe(true);
        expect(slots.verified[slots.confirmed]).toBe(true);
        // Between updates what was confirmed runs, and nothing else does.
        if (state === 'idle') expect(slots.runs).toBe(slots.confirmed);
      }
    }),
    { numRuns: 500 },
  );
});
