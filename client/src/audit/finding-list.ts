import { type Finding, type ProductHistory, settledFindings } from '@firmproof/protocol/audit';

const maximumListed = 1000;

/** Findings as they come, so many of them that memory stays flat; of the rest it is known how many and how bad. */
export class FindingList {
  readonly #listed: Finding[] = [];
  #more = 0;

  add(...findings: readonly Finding[]): void {
    for (const finding of findings) {
      if (this.#listed.length < maximumListed) this.#listed.push(finding);
      else if (finding.severity === 'bad') this.#replaceMinor(finding);
      else this.#more += 1;
    }
  }

  /** What is bad is listed before what is not. */
  #replaceMinor(finding: Finding): void {
    const minor = this.#listed.findLastIndex(({ severity }) => severity !== 'bad');
    this.#more += 1;
    if (minor >= 0) this.#listed.splice(minor, 1, finding);
  }

  get more(): number {
    return this.#more;
  }

  /** As they stand at the end of the history, if there is one. */
  settled(history: ProductHistory | null): readonly Finding[] {
    return history === null ? this.#listed : settledFindings(this.#listed, history);
  }
}
