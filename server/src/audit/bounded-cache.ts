type Kept = { readonly text: string; readonly until: number };

/** Texts by key, of so many characters in all: what has been there longest goes first. */
export class BoundedCache {
  readonly #kept = new Map<string, Kept>();
  readonly #maximumCharacters: number;
  #characters = 0;

  constructor(maximumCharacters: number) {
    this.#maximumCharacters = maximumCharacters;
  }

  /** @param now in the unit of `until` */
  get(key: string, now: number): string | undefined {
    const kept = this.#kept.get(key);
    return kept !== undefined && kept.until > now ? kept.text : undefined;
  }

  set(key: string, text: string, until = Number.POSITIVE_INFINITY): void {
    this.#drop(key);
    this.#kept.set(key, { text, until });
    this.#characters += text.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#characters <= this.#maximumCharacters) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#characters -= this.#kept.get(key)?.text.length ?? 0;
    this.#kept.delete(key);
  }
}
