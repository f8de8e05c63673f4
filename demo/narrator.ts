import { type ErrorCode, errorCatalogue } from '@firmproof/protocol';

export type Step = {
  readonly name: string;
  readonly ok: boolean;
  readonly code?: ErrorCode;
  /** What went wrong, where something did. */
  readonly saw?: string;
};

/** What a step claims to show, and what it saw. */
export type Outcome = { readonly ok: boolean; readonly saw: string; readonly code?: ErrorCode };

/** Tells the story step by step, or keeps quiet and sums it up as one line of JSON. */
export class Narrator {
  readonly #json: boolean;
  readonly #steps: Step[] = [];

  constructor(json: boolean) {
    this.#json = json;
  }

  say(text: string): void {
    if (!this.#json) process.stdout.write(`${text}\n`);
  }

  async step(name: string, story: string, act: () => Promise<Outcome>): Promise<boolean> {
    this.say(`\n${this.#steps.length + 1}. ${story}`);
    const { ok, saw, code } = await act().catch((error: unknown) => ({
      ok: false,
      saw: String(error),
      code: undefined,
    }));
    this.say(`   ${ok ? '✓' : '✗'} ${saw}`);
    if (code !== undefined) this.say(`     ${code}: ${errorCatalogue[code].meaning}`);
    this.#steps.push({ name, ok, ...(code !== undefined && { code }), ...(!ok && { saw }) });
    return ok;
  }

  /** Whether every step did what it claims. */
  finish(): boolean {
    const ok = this.#steps.every((step) => step.ok);
    if (this.#json) process.stdout.write(`${JSON.stringify({ steps: this.#steps, ok })}\n`);
    return ok;
  }
}
