import {
  type Advisory,
  type AdvisoryStatus,
  type CountedRebuild,
  isFirmproofError,
  type ProductId,
} from '@firmproof/protocol';
import { describeTime } from '@firmproof/protocol/review';
import { Notice } from '../../parts/notice.tsx';
import { Section } from '../../parts/section.tsx';
import type { Loaded } from '../../parts/use-loaded.ts';
import type { SaidLater } from '../data/said-later.ts';
import { linkTo } from '../route.ts';
import { plural } from './words.ts';

type Props = {
  readonly product: ProductId;
  readonly loaded: Loaded<SaidLater>;
  /** Whether somebody vouches for the history, which names the trust root that says whose word counts. */
  readonly isVouched: boolean;
};

const statusWords: Readonly<Record<AdvisoryStatus, string>> = {
  affected: 'affected',
  not_affected: 'not affected',
  fixed: 'fixed',
  under_investigation: 'under investigation',
};

/** What somebody has to know before they use a release, where the vendor has said so since. */
export function AdvisoryNotice({ loaded, isVouched }: Omit<Props, 'product'>) {
  if (loaded.state !== 'ready') return null;
  const asking = loaded.value.advisories.filter(({ statement }) => isAsking(statement.predicate.status));
  if (asking.length === 0) return null;
  return (
    <Notice tone={isVouched ? 'bad' : 'warn'} title="An advisory is about this release">
      <ul>
        {asking.map(({ digest, statement: { predicate } }) => (
          <li key={digest}>
            {predicate.title} ({statusWords[predicate.status]}, {predicate.severity})
          </li>
        ))}
      </ul>
    </Notice>
  );
}

const isAsking = (status: AdvisoryStatus) => status === 'affected' || status === 'under_investigation';

/** Advisories and rebuilds: signed after the release was recorded. */
export function SaidLaterSections({ product, loaded, isVouched }: Props) {
  if (loaded.state === 'loading') return null;
  if (loaded.state === 'failed') {
    const why = isFirmproofError(loaded.error) ? loaded.error.message : String(loaded.error);
    return (
      <Section title="Advisories and rebuilds">
        <p className="empty">Not checked here: {why}.</p>
      </Section>
    );
  }
  const { trustRoot, rebuilds, uncountedRebuilds, advisories, unprovenAdvisories } = loaded.value;
  return (
    <>
      <Section title="Advisories" hint="What the vendor has said since. The server can withhold some.">
        {advisories.length === 0 && (
          <p className="empty">
            {trustRoot === null
              ? `Not checked here: ${noRoot}.`
              : 'The server has none about this release that is proven.'}
          </p>
        )}
        <ul className="documents">
          {advisories.map((advisory) => (
            <AdvisoryItem key={advisory.digest} product={product} advisory={advisory} isVouched={isVouched} />
          ))}
        </ul>
        <Unproven count={unprovenAdvisories} what="advisory" many="advisories" />
      </Section>
      <Section title="Rebuilds" hint="Others who got the same image out of the source.">
        {!rebuilds?.length && <p className="empty">{whyNone(loaded.value)}</p>}
        <ul className="documents">
          {rebuilds?.map((counted) => (
            <RebuildItem key={counted.rebuild.digest} counted={counted} isVouched={isVouched} />
          ))}
        </ul>
        <Unproven count={uncountedRebuilds} what="rebuild" many="rebuilds" />
      </Section>
    </>
  );
}

const noRoot = 'nobody gives the trust root that is in force';

/** Why no rebuild is shown. */
function whyNone({ trustRoot, rebuilds }: SaidLater): string {
  if (trustRoot === null) return `Not checked here: ${noRoot}.`;
  const { rebuilders = [] } = trustRoot;
  if (rebuilders.length === 0) return 'The trust root names no rebuilders.';
  return rebuilds === null
    ? 'Not checked here: whoever has signed the attestation does not count, and who that is nobody says.'
    : `None of the ${plural(rebuilders.length, 'key')} of rebuilders that the trust root names has signed.`;
}

const Verified = ({ isVouched }: { isVouched: boolean }) =>
  isVouched ? (
    <span className="badge passed">signature verified</span>
  ) : (
    <span className="badge unchecked">nobody vouches for the trust root</span>
  );

function Unproven({ count, what, many }: { count: number; what: string; many: string }) {
  if (count === 0) return null;
  return (
    <p className="quiet">
      Not counted: {plural(count, what, many)} that the server gives, and that nobody who counts has signed, or that
      cannot be checked here.
    </p>
  );
}

type AdvisoryItemProps = Pick<Props, 'product' | 'isVouched'> & { readonly advisory: Advisory };

function AdvisoryItem({ product, advisory, isVouched }: AdvisoryItemProps) {
  const { id, revision, title, text, severity, status, fixedIn, publishedAt, vulnerabilities } =
    advisory.statement.predicate;
  const tone = isAsking(status) ? 'failed' : isVouched ? 'passed' : '';
  return (
    <li>
      <div>
        <p className="document-name">
          <strong>{title}</strong> <span className={`badge ${tone}`}>{statusWords[status]}</span>{' '}
          <span className="badge">{severity}</span> <Verified isVouched={isVouched} />
        </p>
        <p className="quiet">
          {[id, `revision ${revision}`, describeTime(publishedAt), ...vulnerabilities].join(' · ')}
        </p>
        <p className="notes">{text}</p>
        {fixedIn && (
          <p>
            Fixed in <a href={linkTo.release(product, fixedIn)}>{fixedIn}</a>
          </p>
        )}
      </div>
    </li>
  );
}

function RebuildItem({ counted, isVouched }: { counted: CountedRebuild; isVouched: boolean }) {
  const { source, rebuiltAt, environment } = counted.rebuild.statement.predicate;
  return (
    <li>
      <div>
        <p className="document-name">
          <strong>{counted.rebuilder.name}</strong> got the same image <Verified isVouched={isVouched} />
        </p>
        <p className="quiet">
          {describeTime(rebuiltAt)}, {environment}
        </p>
        <p className="quiet">
          {source.uri} <code>{source.digest.gitCommit ?? source.digest.sha256}</code>
        </p>
      </div>
    </li>
  );
}
