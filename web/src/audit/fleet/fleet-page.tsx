import { isFirmproofError, type ProductId } from '@firmproof/protocol';
import { useMemo, useState } from 'react';
import { Failure } from '../../parts/failure.tsx';
import { Loading } from '../../parts/loading.tsx';
import { Section } from '../../parts/section.tsx';
import { useLoaded } from '../../parts/use-loaded.ts';
import type { ProductAudit } from '../data/audit.ts';
import { Audited } from '../parts/auditing.tsx';
import { ProductHeader } from '../parts/product-header.tsx';
import { VerdictBanner } from '../parts/verdict-banner.tsx';
import { bandsOf } from './bands.ts';
import { FlaggedList } from './flagged-list.tsx';
import { type FleetFacts, FleetReader, loadFleet } from './fleet-reader.ts';
import { keepToken, keptToken } from './kept-token.ts';
import { OutcomeTable } from './outcome-table.tsx';
import { RolloutList } from './rollout-list.tsx';
import { TokenForm } from './token-form.tsx';
import { useVerification } from './use-verification.ts';
import { VerificationBanner } from './verification-banner.tsx';
import { VersionsChart } from './versions-chart.tsx';

/** A fleet of so few devices is counted here without being asked to. */
const devicesCountedAtOnce = 500;

/** What a vendor's devices run, and what became of its releases, from what they have signed. */
export function FleetPage({ product }: { product: ProductId }) {
  return <Audited product={product}>{(audit) => <Shown audit={audit} />}</Audited>;
}

function Shown({ audit }: { audit: ProductAudit }) {
  const { server } = audit.carrier;
  const [token, setToken] = useState(() => keptToken(server));
  const use = (next: string | null) => {
    keepToken(server, next);
    setToken(next);
  };
  return (
    <>
      <ProductHeader audit={audit} page="fleet" />
      {audit.verdict.tone === 'bad' && <VerdictBanner audit={audit} />}
      {token === null ? (
        <TokenForm server={server} onToken={use} />
      ) : (
        <Fleet key={token} audit={audit} token={token} onForget={() => use(null)} />
      )}
    </>
  );
}

type FleetProps = { readonly audit: ProductAudit; readonly token: string; readonly onForget: () => void };

function Fleet({ audit, token, onForget }: FleetProps) {
  const reader = useMemo(() => new FleetReader(audit.carrier.server, token, audit.product), [audit, token]);
  const loaded = useLoaded(() => loadFleet(reader), '');
  switch (loaded.state) {
    case 'loading':
      return <Loading what="the fleet" />;
    case 'failed':
      return (
        <>
          <Failure error={loaded.error} onRetry={loaded.reload} />
          {isRefusal(loaded.error) && (
            <button type="button" className="button" onClick={onForget}>
              Use another token
            </button>
          )}
        </>
      );
    case 'ready':
      return <Counted audit={audit} reader={reader} facts={loaded.value} onForget={onForget} />;
  }
}

const isRefusal = (error: unknown) =>
  isFirmproofError(error) && ['token-invalid', 'token-scope', 'proposer-not-allowed'].includes(error.code);

type CountedProps = {
  readonly audit: ProductAudit;
  readonly reader: FleetReader;
  readonly facts: FleetFacts;
  readonly onForget: () => void;
};

function Counted({ audit, reader, facts, onForget }: CountedProps) {
  const { summary, flagged } = facts;
  const { verification, start, stop } = useVerification(reader, summary.heard <= devicesCountedAtOnce);
  const here = verification.state === 'done' && verification.verified.scope === 'all' ? verification.verified : null;
  const timeline = here?.timeline ?? facts.timeline;
  const published = useMemo(() => [...audit.history.releases.keys()], [audit]);
  const bands = useMemo(() => bandsOf(timeline, published, Math.floor(Date.now() / 86_400_000)), [timeline, published]);
  const by = here ? 'Counted in this browser, from what devices have signed.' : 'Counted by the server.';
  return (
    <>
      <VerificationBanner verification={verification} said={facts} onStart={start} onStop={stop} />
      <dl className="facts">
        <Fact name="Enrolled" value={summary.enrolled} />
        <Fact name="Heard from" value={here?.devices ?? summary.heard} />
        <Fact name="Waiting to be enrolled" value={summary.pending} />
        <Fact name="Revoked" value={summary.revoked} />
        <Fact name="Need a look" value={summary.flagged} />
      </dl>
      <Section title="Versions over time" hint={by}>
        <VersionsChart bands={bands} />
      </Section>
      <Section title="Rollout" hint="What the chain promises, beside what devices say that they run.">
        <RolloutList audit={audit} latest={timeline.days.at(-1) ?? null} />
      </Section>
      <Section title="What became of releases" hint={by}>
        <OutcomeTable outcomes={timeline.outcomes} published={published} />
      </Section>
      <Section
        title="Devices that need a look"
        hint="Flagged by the server; what it kept as evidence is there to be read."
      >
        <FlaggedList devices={flagged} total={summary.flagged} />
      </Section>
      <p className="forget">
        <button type="button" className="button" onClick={onForget}>
          Forget the token
        </button>
      </p>
    </>
  );
}

function Fact({ name, value }: { name: string; value: number }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value.toLocaleString('en')}</dd>
    </div>
  );
}
