import type { Finding, ProductHistory } from '@firmproof/protocol/audit';

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

  /** What was bad about a head and is over (the channel has another head since) is still worth a look, and no longer bad. */
  settled(history: ProductHistory | null): readonly Finding[] {
    const isOver = ({ code, channel, version }: Finding) =>
      (code === 'head-revoked' || code === 'head-moved-backwards') &&
      channel !== undefined &&
      history?.channels.get(channel)?.version !== version;
    return this.#listed.map((finding) =>
      finding.severity === 'bad' && isOver(finding)
        ? { ...finding, severity: 'warn', message: `${finding.message}; it has another head since`.slice(0, 500) }
        : finding,
    );
  }
}
