import type { FleetDay } from '@firmproof/protocol';
import type { ReactNode } from 'react';
import { Icon, type IconName } from '../../parts/icon.tsx';
import { reasonOf } from '../data/check.ts';
import { plural } from '../parts/words.ts';
import type { FleetFacts } from './fleet-reader.ts';
import type { Verification } from './use-verification.ts';
import type { Verified } from './verify-receipts.ts';

type Props = {
  readonly verification: Verification;
  readonly said: FleetFacts;
  readonly onStart: (scope: Verified['scope']) => void;
  readonly onStop: () => void;
};

/** Whose word the numbers below are, first of all. */
export function VerificationBanner({ verification, said, onStart, onStop }: Props) {
  switch (verification.state) {
    case 'none':
      return (
        <Banner tone="warn" title="Counted by the server, not verified here">
          <p>
            {plural(said.summary.heard, 'device')} of this fleet {said.summary.heard === 1 ? 'has' : 'have'} been heard.
            To be sure of the numbers, the signatures of their receipts can be verified in this browser.
          </p>
          <Choices onStart={onStart} />
        </Banner>
      );
    case 'running':
      return (
        <Banner
          tone="warn"
          title={`Verifying the receipts of ${verification.scope === 'all' ? 'all devices' : 'a sample'} …`}
        >
          <p role="status">{plural(verification.receipts, 'signature')} verified.</p>
          <progress aria-label="Receipts verified" />
          <p className="actions">
            <button type="button" className="button" onClick={onStop}>
              Stop
            </button>
          </p>
        </Banner>
      );
    case 'failed':
      return (
        <Banner tone="warn" title="Counted by the server, not verified here">
          <p>The receipts do not come: {reasonOf(verification.error)}.</p>
          <Choices onStart={onStart} />
        </Banner>
      );
    case 'done':
      return <Done verified={verification.verified} said={said} onStart={onStart} />;
  }
}

function Done({ verified, said, onStart }: { verified: Verified } & Pick<Props, 'said' | 'onStart'>) {
  const { scope, receipts, devices, dismissed, timeline } = verified;
  const count = [...dismissed.values()].reduce((sum, some) => sum + some, 0);
  const counted = `${plural(receipts, 'receipt')} of ${plural(devices, 'device')}: each signature was verified here.`;
  const away = count > 0 && (
    <>
      <p>{count === 1 ? 'One receipt counts' : `${plural(count, 'receipt')} count`} for nothing:</p>
      <ul className="problems">
        {[...dismissed].map(([why, some]) => (
          <li key={why}>
            {some.toLocaleString('en')}: {why}
          </li>
        ))}
      </ul>
    </>
  );
  if (scope === 'sample')
    return (
      <Banner
        tone={count > 0 ? 'bad' : 'warn'}
        title={
          count > 0 ? 'Not every receipt of the sample holds' : 'Counted by the server; a sample of its receipts holds'
        }
      >
        <p>{counted}</p>
        {away}
        <Choices onStart={onStart} />
      </Banner>
    );
  const differing = differenceOf(said.timeline.days.at(-1), timeline.days.at(-1));
  const tone = differing !== null ? 'bad' : count > 0 ? 'warn' : 'good';
  const title =
    differing !== null
      ? 'The server counts otherwise than its receipts prove'
      : count > 0
        ? 'Counted in this browser, without the receipts that do not hold'
        : 'Counted in this browser: every receipt is genuinely signed';
  return (
    <Banner tone={tone} title={title}>
      {differing !== null && <p>{differing} The numbers below are those that were proven.</p>}
      <p>{counted}</p>
      {away}
      <p className="quiet">
        That each key belongs to a device of yours is the server's word, unless you have anchored your devices on chain.
      </p>
    </Banner>
  );
}

/** What runs today, by the server and by what was verified. */
function differenceOf(said: FleetDay | undefined, proven: FleetDay | undefined): string | null {
  const of = (day: FleetDay | undefined) => new Map(day?.running.map(({ version, devices }) => [version, devices]));
  const [claimed, counted] = [of(said), of(proven)];
  const differing = [...new Set([...claimed.keys(), ...counted.keys()])].filter(
    (version) => (claimed.get(version) ?? 0) !== (counted.get(version) ?? 0),
  );
  if (differing.length === 0) return null;
  const parts = differing.map(
    (version) => `${version}: it says ${claimed.get(version) ?? 0}, proven are ${counted.get(version) ?? 0}`,
  );
  return `Devices that run ${parts.join('; ')}.`;
}

const Choices = ({ onStart }: Pick<Props, 'onStart'>) => (
  <p className="actions">
    <button type="button" className="button primary" onClick={() => onStart('all')}>
      Verify all
    </button>
    <button type="button" className="button" onClick={() => onStart('sample')}>
      Verify a sample
    </button>
  </p>
);

const icons = { good: 'check', warn: 'attention', bad: 'stop' } as const satisfies Record<string, IconName>;

function Banner({ tone, title, children }: { tone: keyof typeof icons; title: string; children: ReactNode }) {
  return (
    <section
      className={`verdict ${tone}`}
      aria-label="What the numbers rest on"
      role={tone === 'bad' ? 'alert' : undefined}
    >
      <Icon name={icons[tone]} />
      <div>
        <p className="verdict-title">{title}</p>
        {children}
      </div>
    </section>
  );
}
