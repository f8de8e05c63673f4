import type { Agent } from '@firmproof/device-agent';

export class PowerCut extends Error {}

/** From the given act on, nothing of the agent reaches the disk any more. */
export function cutPower(agent: Agent, act: number, when: 'before' | 'after'): void {
  let acts = 0;
  const guard =
    <Arguments extends unknown[], Result>(does: (...args: Arguments) => Promise<Result>) =>
    async (...args: Arguments) => {
      acts += 1;
      if (acts > act || (acts === act && when === 'before')) throw new PowerCut();
      const result = await does(...args);
      if (acts === act) throw new PowerCut();
      return result;
    };
  agent.journal.write = guard(agent.journal.write.bind(agent.journal));
  const { installer } = agent as { installer: { activate: Agent['installer']['activate'] } };
  installer.activate = guard(installer.activate.bind(installer));
}
