import { setTimeout as pause } from 'node:timers/promises';
import type { Message, Outbox, RateLimit } from './outbox.ts';
import type { Sink } from './sinks/sink.ts';

const firstPauseMilliseconds = 1000;
const longestPauseMilliseconds = 10 * 60_000;
const deliveryTimeoutMilliseconds = 30_000;
/** How long it may take until alerts that wait for the rate's window are looked at again. */
const idleMilliseconds = 1000;

/** Milliseconds until the next attempt: doubled with each failure in a row, spread by ± 50 %. `random` from 0 up to 1. */
export function retryPause(failures: number, random: number): number {
  const pauseMilliseconds = Math.min(
    longestPauseMilliseconds,
    firstPauseMilliseconds * 2 ** Math.min(failures - 1, 30),
  );
  return pauseMilliseconds * (0.5 + random);
}

export type CourierOptions = {
  readonly rate: RateLimit | null;
  /** Seconds since 1970. */
  readonly now: () => number;
  /** Tells how it stands with the sink: since when nothing gets through, and why; null when something has. */
  readonly onTrouble: (trouble: string | null) => void;
  readonly pauseAfter?: (failures: number) => number;
};

/** Carries the messages of one sink. Each has its own, so that a dead one delays nobody else. */
export class Courier {
  readonly #outbox: Outbox;
  readonly #sink: Sink;
  readonly #options: CourierOptions;
  #wake: () => void = () => undefined;

  constructor(outbox: Outbox, sink: Sink, options: CourierOptions) {
    this.#outbox = outbox;
    this.#sink = sink;
    this.#options = options;
  }

  get name(): string {
    return this.#sink.name;
  }

  /** There may be something to carry. */
  wake(): void {
    this.#wake();
  }

  /** Carries until it is stopped. An attempt that is under way is waited for, no longer than it may take. */
  async run(stop: AbortSignal): Promise<void> {
    let failures = 0;
    while (!stop.aborted) {
      const outcome = await this.#attempt();
      if (outcome === 'failed') {
        failures += 1;
        const wait = this.#options.pauseAfter ?? ((count: number) => retryPause(count, Math.random()));
        await pause(wait(failures), undefined, { signal: stop }).catch(() => undefined);
      } else {
        failures = 0;
        if (outcome === 'nothing') await this.#idle(stop);
      }
    }
  }

  /** Delivers what can be delivered now; at the first failure the rest stays for the next time. True when nothing is left. */
  async flush(): Promise<boolean> {
    for (;;) {
      const outcome = await this.#attempt();
      if (outcome !== 'delivered') return outcome === 'nothing' && this.#outbox.waiting(this.name) === 0;
    }
  }

  async #attempt(): Promise<'delivered' | 'failed' | 'nothing'> {
    const { now, rate, onTrouble } = this.#options;
    this.#outbox.form(this.name, rate, now());
    const message = this.#outbox.next(this.name);
    if (message === null) return 'nothing';
    const trouble = await this.#deliver(message);
    if (trouble === null) this.#outbox.delivered(this.name, message, now());
    else this.#outbox.failed(this.name, message, trouble);
    onTrouble(trouble);
    return trouble === null ? 'delivered' : 'failed';
  }

  /** null when the sink has taken it, or in a few words why not. */
  async #deliver(message: Message): Promise<string | null> {
    try {
      await this.#sink.deliver(message, AbortSignal.timeout(deliveryTimeoutMilliseconds));
      return null;
    } catch (error) {
      return this.#sink.explain(error);
    }
  }

  #idle(stop: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        stop.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, idleMilliseconds);
      stop.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }
}
