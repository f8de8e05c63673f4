import type { Agent } from '@firmproof/device-agent';

export class PowerCut extends Error {}

/** From the given act on, nothing of the agent reaches the disk any more. */
export function cutPower(agent: Agent, act: number, when: 'before' | 'after'): void {
  let acts = 0;
  const guard =
    <Arguments extends unknown[]>(does: (...args: Arguments) => Promise<void>) =>
    async (...args: Arguments) => {
      acts += 1;
      if (acts > act || (acts === act && when === 'before')) throw new PowerCut();
      await does(...args);
      if (acts === act) throw new PowerCut();
    };
  agent.journal.write = guard(agent.journal.write.bind(agent.journal));
  const { slots } = agent as { slots: { activate: Agent['slots']['activate'] } };
  slots.activate = guard(slots.activate.bind(slots));
}
