import type { ProductId, Version } from '@firmproof/protocol';
import { describeTime } from '@firmproof/protocol/review';
import { isSameImage, useImage } from '../../image/use-image.ts';
import { CheckList } from '../../parts/check-list.tsx';
import { Failure } from '../../parts/failure.tsx';
import { ImageCheck } from '../../parts/image-check.tsx';
import { Loading } from '../../parts/loading.tsx';
import { Notice } from '../../parts/notice.tsx';
import { PageTitle } from '../../parts/page-title.tsx';
import { Section } from '../../parts/section.tsx';
import { useLoaded } from '../../parts/use-loaded.ts';
import type { ProductAudit } from '../data/audit.ts';
import { type Check, check, imageCheckName, onlyIf } from '../data/check.ts';
import { auditRelease, type ReleaseAudit } from '../data/release-checks.ts';
import { loadSaidLater } from '../data/said-later.ts';
import { checkDocuments, useDocuments } from '../data/use-documents.ts';
import { Audited } from '../parts/auditing.tsx';
import { CompareLink } from '../parts/compare-link.tsx';
import { DocumentList } from '../parts/document-list.tsx';
import { ReleaseBanner } from '../parts/release-banner.tsx';
import { ReleaseEvents } from '../parts/release-events.tsx';
import { AdvisoryNotice, SaidLaterSections } from '../parts/said-later-sections.tsx';
import { StatementRows } from '../parts/statement-rows.tsx';
import { TrustRootOffer } from '../parts/trust-root-offer.tsx';
import { VerdictBanner } from '../parts/verdict-banner.tsx';
import { linkTo } from '../route.ts';

type Props = { readonly product: ProductId; readonly version: Version };

const imageWords = (isVouched: boolean) => ({
  same: isVouched
    ? 'This file is the image of this release.'
    : 'This file is the image of the entry; nobody vouches for the entry.',
  other: 'This file is another image.',
  expected: 'of this release',
  isSure: isVouched,
});

/** One release: everything that can be known about it, and how each of it is known. */
export function ReleasePage({ product, version }: Props) {
  return <Audited product={product}>{(audit) => <Loaded audit={audit} version={version} />}</Audited>;
}

function Loaded({ audit, version }: { audit: ProductAudit; version: Version }) {
  const loaded = useLoaded(() => auditRelease(audit, version), `${version} ${audit.milliseconds}`);
  switch (loaded.state) {
    case 'loading':
      return <Loading what="the release" />;
    case 'failed':
      return (
        <>
          <PageTitle>The release cannot be shown</PageTitle>
          <Failure error={loaded.error} onRetry={loaded.reload} />
        </>
      );
    case 'ready':
      return loaded.value ? (
        <Shown audit={audit} release={loaded.value} />
      ) : (
        <Unknown audit={audit} version={version} />
      );
  }
}

function Unknown({ audit, version }: { audit: ProductAudit; version: Version }) {
  return (
    <>
      <p className="kicker">Release</p>
      <PageTitle>There is no release {version}</PageTitle>
      <VerdictBanner audit={audit} />
      <p>
        The history that the server gives has no such release.{' '}
        <a href={linkTo.product(audit.product)}>See what it has</a>.
      </p>
    </>
  );
}

function Shown({ audit, release: found }: { audit: ProductAudit; release: ReleaseAudit }) {
  const { release, statement } = found;
  const { chosen, choose } = useImage();
  // Until the attestation is here, only the digest is known: it is on chain, the CID is in the statement.
  const image = { digest: release.image, cid: statement?.predicate.image.cid ?? null };
  const same = isSameImage(chosen, image);
  const { documents, fetch } = useDocuments(audit, statement);
  const ofDocuments = checkDocuments(documents).map((one) => onlyIf(found.isVouched, one));
  const later = useLoaded(
    () => loadSaidLater(audit, release, found.attester),
    `${release.version} ${audit.milliseconds}`,
  );
  const checks = [...found.checks, ...ofDocuments, imageCheck(same, found.isVouched)];
  return (
    <>
      <p className="kicker">
        <a href={linkTo.product(audit.product)}>{audit.history.name}</a> · Release
      </p>
      <PageTitle>{release.version}</PageTitle>
      <p className="subtitle">
        Published {describeTime(release.publishedAt)} · rollback index {release.rollbackIndex}
        <Standing audit={audit} release={found} />
        <CompareLink audit={audit} version={release.version} />
      </p>
      {release.revoked && (
        <Notice tone="bad" title={`Revoked on ${describeTime(release.revoked.at)}`}>
          No device installs it any more. Approved by <code>{release.revoked.approver}</code>, entry{' '}
          {release.revoked.sequence}.
        </Notice>
      )}
      <AdvisoryNotice loaded={later} isVouched={found.isVouched} />
      {same === false && <OtherFile version={release.version} />}
      <ReleaseBanner checks={checks} isVouched={found.isVouched}>
        <TrustRootOffer audit={audit} />
      </ReleaseBanner>
      <div className="columns even">
        <Section title="Checked in this browser">
          <CheckList checks={checks} />
        </Section>
        <div>
          <Section title="Compare the image" hint="A gigabyte takes less than a minute.">
            <ImageCheck approved={image} chosen={chosen} onChoose={choose} words={imageWords(found.isVouched)} />
          </Section>
          <Section title="What the statement says" hint={statement ? statementHint(found.isVouched) : ''}>
            <StatementRows release={release} statement={statement} />
          </Section>
          {documents.length > 0 && (
            <Section title="Documents" hint="The build has signed their digests; they are fetched and hashed here.">
              <DocumentList documents={documents} isVouched={found.isVouched} onFetch={fetch} />
            </Section>
          )}
        </div>
      </div>
      <Section title="What happened to it">
        <ReleaseEvents audit={audit} release={release} />
      </Section>
      <div className="columns even">
        <SaidLaterSections product={audit.product} loaded={later} isVouched={found.isVouched} />
      </div>
    </>
  );
}

/** Against the file alone: whether the record is genuine is another question. */
const OtherFile = ({ version }: { version: Version }) => (
  <Notice tone="bad" title={`Your file is not the image of ${version}`}>
    Do not install it as {version}. That says nothing against the record of the release, which stands as it is judged
    below.
  </Notice>
);

const statementHint = (isVouched: boolean) =>
  isVouched
    ? 'Signed by the build; bound by its digest on chain.'
    : 'Its digest is the one of the entry; nobody vouches for the entry.';

function imageCheck(same: boolean | null, isVouched: boolean): Check {
  const name = imageCheckName;
  if (same === null) return check(name, 'unchecked', 'Drop the file on this page to compare its digest and CID.');
  if (!same) return check(name, 'failed', 'The file that you chose is another image.');
  return isVouched
    ? check(name, 'passed', 'The file that you chose has the digest that is on chain.')
    : check(
        name,
        'unchecked',
        'The file has the digest of the entry, but nobody whom you believe vouches for the entry.',
      );
}

function Standing({ audit, release: { release, isVouched } }: { audit: ProductAudit; release: ReleaseAudit }) {
  const heads = [...audit.history.channels.values()].filter(({ version }) => version === release.version);
  const isOpen = release.installableFrom * 1000 > Date.now();
  return (
    <span className="badges">
      {release.revoked && <span className="badge failed">revoked</span>}
      {isOpen && <span className="badge unchecked">veto window open</span>}
      {heads.map(({ channel, halted }) => (
        <span key={channel} className={`badge ${halted ? 'failed' : isVouched ? 'passed' : ''}`}>
          head of {channel}
          {halted && ', halted'}
        </span>
      ))}
    </span>
  );
}
