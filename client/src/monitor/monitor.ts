import { setTimeout as pause } from 'node:timers/promises';
import { isFirmproofError } from '@firmproof/protocol';
import { RpcNode } from '../audit/rpc-node.ts';
import { type Alert, plainLine } from './alert.ts';
import { forgetWays, observe, standing } from './conditions.ts';
import type { MonitorConfig, WatchedProduct } from './config.ts';
import { Courier } from './courier.ts';
import { Gate } from './gate.ts';
import { Outbox } from './outbox.ts';
import { ProductWatch, type RoundResult } from './product-watch.ts';
import type { Sink } from './sinks/sink.ts';
import { createSink } from './sinks/sink.ts';
import { createStdoutSink, stdoutName } from './sinks/stdout.ts';
import { MonitorState } from './state.ts';

/** Products that are looked at at the same moment; the others wait their turn. */
const roundsAtOnce = 4;
/** How long a delivery that is under way is waited for at the end: it would be repeated with the same id. */
const farewellMilliseconds = 5000;

export type MonitorOptions = {
  readonly config: MonitorConfig;
  readonly fromStart?: boolean;
  /** Whether alerts are printed as JSON. */
  readonly json?: boolean;
  /** What happens on the way, for people: one line. */
  readonly note: (line: string) => void;
  readonly stdout?: Sink;
};

/** What `--once` has come to. */
export type OnceResult = {
  /** What has been found now. Notes and good news are not among them. */
  readonly alerts: readonly Alert[];
  /** What was told before, and lasts. */
  readonly standing: readonly Alert[];
  /** Products that could not be looked at in full, and why. */
  readonly unseen: readonly { readonly product: string; readonly why: readonly string[] }[];
  /** Ways on which alerts still wait. */
  readonly undelivered: readonly string[];
};

/** Follows all products of a configuration and tells what it finds (docs/monitor.md). */
export class Monitor {
  readonly #state: MonitorState;
  readonly #outbox: Outbox;
  readonly #watches: readonly ProductWatch[];
  readonly #couriers: readonly Courier[];
  readonly #options: MonitorOptions;
  readonly #stop = new AbortController();
  readonly #troubles = new Map<string, string>();
  /** Alerts of the one look of `once`. */
  #found: Alert[] | null = null;

  private constructor(state: MonitorState, options: MonitorOptions) {
    const { config } = options;
    const sinks = [options.stdout ?? createStdoutSink(options.json ?? false), ...config.sinks.map(createSink)];
    this.#state = state;
    this.#options = options;
    const names = sinks.map(({ name }) => name);
    this.#outbox = new Outbox(state, names, (alert) => this.#found?.push(alert));
    state.transaction(() => forgetWays(state, names));
    const { dropped } = this.#outbox.tidy(now());
    if (dropped > 0) options.note(`${dropped} alerts waited for a way that is not configured any more: forgotten`);
    this.#couriers = sinks.map((sink) => this.#courier(sink));
    const nodesOf = sharedNodes();
    const stop = this.#stop.signal;
    this.#watches = config.products.map(
      (watched) =>
        new ProductWatch(watched, nodesOf(watched), {
          state,
          outbox: this.#outbox,
          config,
          fromStart: options.fromStart ?? false,
          now,
          stop,
        }),
    );
  }

  /** @throws FirmproofError `monitor-running`, `monitor-state-damaged` */
  static open(options: MonitorOptions): Monitor {
    const state = MonitorState.open(options.config.stateDirectory);
    try {
      return new Monitor(state, options);
    } catch (error) {
      state.close();
      throw error;
    }
  }

  #courier(sink: Sink): Courier {
    const { config, note } = this.#options;
    const isOurs = sink.name === stdoutName;
    const tell = (trouble: string | null) => {
      if (isOurs) return;
      this.#tellOnce(`way ${sink.name}`, trouble === null ? '' : `${sink.name}: not delivered: ${trouble}`, note);
      this.#state.transaction(() => this.#observeSink(sink.name, trouble));
    };
    return new Courier(this.#outbox, sink, { rate: isOurs ? null : config.rateLimit, now, onTrouble: tell });
  }

  #observeSink(name: string, trouble: string | null): void {
    const message = `alerts do not get through on the way "${name}": ${trouble}`;
    const { carrierSeconds: patienceSeconds } = this.#options.config.patience;
    const failing = { code: 'delivery-failing', severity: 'warn', subject: name, message, patienceSeconds } as const;
    const of = { product: null, label: 'monitor' };
    observe(this.#state, this.#outbox, of, `way ${name}`, trouble === null ? [] : [failing], now());
  }

  /** A trouble that goes on is told once, and nothing when it is over: alerts do that. */
  #tellOnce(about: string, trouble: string, note: (line: string) => void): void {
    if (trouble !== '' && this.#troubles.get(about) !== trouble) note(trouble);
    this.#troubles.set(about, trouble);
  }

  async #round(watch: ProductWatch): Promise<RoundResult> {
    let result: RoundResult;
    try {
      result = await watch.round();
    } catch (error) {
      if (this.#stop.signal.aborted) return { troubles: [], isWhole: false };
      if (isFirmproofError(error) && error.code === 'monitor-state-damaged') throw error;
      const trouble = isFirmproofError(error)
        ? `${error.message} [${error.code}]`
        : `a mistake in the monitor: ${error}`;
      result = { troubles: [trouble], isWhole: false };
    }
    const lines = result.troubles.map((trouble) => plainLine(`${watch.name}: ${trouble}`));
    this.#tellOnce(`product ${watch.watched.product}`, lines.join('\n'), this.#options.note);
    for (const courier of this.#couriers) courier.wake();
    return result;
  }

  /** One look at everything, and one attempt to deliver all that waits. */
  async once(): Promise<OnceResult> {
    const raised: Alert[] = [];
    this.#found = raised;
    const gate = new Gate(roundsAtOnce);
    const rounds = await Promise.all(
      this.#watches.map(async (watch) => {
        const result = await gate.pass(() => this.#round(watch));
        return { product: watch.name, ...result };
      }),
    );
    const products = this.#watches.map(({ watched }) => watched.product);
    const delivered = await Promise.all(this.#couriers.map((courier) => courier.flush()));
    const told = new Set(raised.map(({ id }) => id));
    const before = standing(this.#state, this.#outbox, products).filter(({ id }) => !told.has(id));
    const counts = ({ state, severity }: Alert) => state === 'raised' && severity !== 'info';
    return {
      alerts: raised.filter(counts),
      standing: before.filter(counts),
      unseen: rounds.filter(({ isWhole }) => !isWhole).map(({ product, troubles }) => ({ product, why: troubles })),
      undelivered: this.#couriers.filter((_, index) => !delivered[index]).map(({ name }) => name),
    };
  }

  /** Follows until it is stopped. */
  async run(): Promise<void> {
    const stop = this.#stop.signal;
    const gate = new Gate(roundsAtOnce);
    const stopped = new Promise<void>((resolve) => {
      stop.addEventListener('abort', () => resolve(), { once: true });
      if (stop.aborted) resolve();
    });
    const couriers = Promise.all(this.#couriers.map((courier) => courier.run(stop)));
    const watches = Promise.all(this.#watches.map((watch) => this.#follow(watch, gate)));
    // A look that is under way is given up; nothing of it has been written.
    await Promise.race([watches, couriers, stopped]);
    await Promise.race([couriers, pause(farewellMilliseconds, undefined, { ref: false })]);
  }

  async #follow(watch: ProductWatch, gate: Gate): Promise<void> {
    const stop = this.#stop.signal;
    const interval = this.#options.config.intervalSeconds * 1000;
    while (!stop.aborted) {
      const started = Date.now();
      await gate.pass(() => this.#round(watch));
      const rest = Math.max(0, started + interval - Date.now());
      await pause(rest, undefined, { signal: stop }).catch(() => undefined);
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  close(): void {
    this.#stop.abort();
    this.#state.close();
  }
}

/** Seconds since 1970. */
const now = () => Math.floor(Date.now() / 1000);

/** Products with the same nodes share them: what is learnt of a node's habits is learnt once. */
function sharedNodes(): (watched: WatchedProduct) => readonly RpcNode[] {
  const known = new Map<string, readonly RpcNode[]>();
  return ({ rpc }) => {
    const key = JSON.stringify(rpc);
    const nodes = known.get(key) ?? rpc.map((url, index) => new RpcNode(url, index + 1));
    known.set(key, nodes);
    return nodes;
  };
}
