import { Spool } from './spool.ts';

const sequenceBytes = 6;

/** Texts that belong to entries, by their sequence: read in order beside the entries, and added to at the end. Usually one an entry. */
export class Sidecar {
  readonly #spool: Spool;
  #last = 0;

  constructor(file: string) {
    this.#spool = Spool.open(file);
    const [last] = this.#spool.backwards();
    if (last) this.#last = last.readUIntBE(0, sequenceBytes);
  }

  /** Kept only where it comes after all that are here: what was missing before stays missing, and is fetched again. */
  add(sequence: number, text: string): void {
    if (sequence > this.#last) this.addAnother(sequence, text);
  }

  /** Kept beside those that the same entry has already, where no later one has any. */
  addAnother(sequence: number, text: string): void {
    if (sequence < this.#last) return;
    const head = Buffer.alloc(sequenceBytes);
    head.writeUIntBE(sequence, 0, sequenceBytes);
    this.#spool.append(Buffer.concat([head, Buffer.from(text)]));
    this.#last = sequence;
  }

  /** A look-up that has to be asked for sequences that rise, and that sees what was there when it began. */
  reader(): (sequence: number) => string | null {
    const all = this.readerOfAll();
    return (sequence) => all(sequence)[0] ?? null;
  }

  /** Likewise, for all that an entry has. */
  readerOfAll(): (sequence: number) => readonly string[] {
    const records = this.#spool.forwards();
    let current = records.next();
    return (sequence) => {
      const numberOf = (record: Buffer) => record.readUIntBE(0, sequenceBytes);
      while (!current.done && numberOf(current.value) < sequence) current = records.next();
      const texts: string[] = [];
      for (; !current.done && numberOf(current.value) === sequence; current = records.next())
        texts.push(current.value.toString('utf8', sequenceBytes));
      return texts;
    };
  }

  flush(): void {
    this.#spool.flush();
  }

  clear(): void {
    this.#spool.cut();
    this.#last = 0;
  }

  close(): void {
    this.#spool.close();
  }
}
