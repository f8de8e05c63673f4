import { isFirmproofError, type Proposal } from '@firmproof/protocol';
import { askedPasskeys, describeDistance, describeTime, type Review, reviewProposal } from '@firmproof/protocol/review';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { isSameImage, useImage } from '../image/use-image.ts';
import { judgePlace } from '../memory.ts';
import { ApproverList } from '../parts/approver-list.tsx';
import { CheckList } from '../parts/check-list.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { Decision } from '../parts/decision.tsx';
import { DifferenceTable } from '../parts/difference-table.tsx';
import { Failure } from '../parts/failure.tsx';
import { ImageCheck } from '../parts/image-check.tsx';
import { Loading } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { RowList } from '../parts/row-list.tsx';
import { Section } from '../parts/section.tsx';
import { StateBanner } from '../parts/state-banner.tsx';
import { useLoaded } from '../parts/use-loaded.ts';
import type { Api } from '../server/api.ts';
import { followProposal } from '../server/follow.ts';
import { isFinished, type LoadedProposal, loadProposal } from '../server/load-proposal.ts';
import type { Settings } from '../settings.ts';

type Props = { readonly api: Api; readonly settings: Settings };

/** One proposal: what it is, what of it is proved, who approves it, and the decision. */
export function ProposalPage({ api, settings, id }: Props & { readonly id: Proposal['id'] }) {
  const loaded = useLoaded(() => loadProposal(api, id), id);
  switch (loaded.state) {
    case 'loading':
      return <Loading what="the proposal" />;
    case 'failed':
      return (
        <>
          <PageTitle>The proposal cannot be shown</PageTitle>
          <Failure error={loaded.error} onRetry={loaded.reload} />
        </>
      );
    case 'ready':
      return <Shown api={api} settings={settings} id={id} loaded={loaded.value} />;
  }
}

function Shown({
  api,
  settings,
  id,
  loaded,
}: Props & { readonly id: Proposal['id']; readonly loaded: LoadedProposal }) {
  const [proposal, setProposal] = useState(loaded.said.proposal);
  const take = useCallback((next: Proposal) => setProposal((now) => (next.updatedAt < now.updatedAt ? now : next)), []);
  const finished = isFinished(proposal);
  useEffect(() => (finished ? undefined : followProposal(api, id, take)), [api, id, take, finished]);
  const place = useMemo(() => judgePlace(loaded.info, settings), [loaded, settings]);
  const review = useMemo<Review | Error>(() => {
    try {
      return reviewProposal(id, { ...loaded.said, proposal }, place);
    } catch (error) {
      if (isFirmproofError(error)) return error;
      throw error;
    }
  }, [id, loaded, proposal, place]);
  const { chosen, choose } = useImage();

  if (review instanceof Error) {
    return (
      <>
        <PageTitle>The proposal cannot be read</PageTitle>
        <Failure error={review} />
      </>
    );
  }
  const failed = review.checks.filter(({ outcome }) => outcome === 'failed');
  const obstacle = obstacleOf(proposal, review, review.image && isSameImage(chosen, review.image));
  return (
    <>
      <p className="kicker">Proposal</p>
      <PageTitle>{review.title}</PageTitle>
      <Deadline deadline={review.deadline} finished={finished} />
      {failed.length > 0 ? (
        <Notice tone="bad" title="Do not approve this: something here is not true.">
          <ul>
            {failed.map(({ name, text }) => (
              <li key={name}>
                <strong>{name}.</strong> {text}
              </li>
            ))}
          </ul>
          <p>
            Tell your colleagues and whoever runs the server. <code>server-lied</code>
          </p>
        </Notice>
      ) : (
        <StateBanner proposal={proposal} />
      )}
      <Section title="What you approve">
        <RowList rows={review.rows} />
      </Section>
      {review.differences && (
        <Section
          title={`Compared with ${review.differences.version}`}
          hint="The release before this one, as the server says."
        >
          <DifferenceTable {...review.differences} />
        </Section>
      )}
      {review.image && !finished && (
        <Section title="Compare the image">
          <ImageCheck approved={review.image} chosen={chosen} onChoose={choose} />
        </Section>
      )}
      <Section title="Checked in this browser">
        <CheckList checks={review.checks} />
      </Section>
      <Section title="Who approves" hint="As the server says; the contract counts for itself.">
        {proposal.requirements ? <ApproverList proposal={proposal} /> : <p>{alone(proposal)}</p>}
        {proposal.requirements && !finished && <Outside id={id} />}
      </Section>
      {!finished && (
        <Section title="Your decision">
          <Decision {...{ api, settings, id, proposal, review, place, obstacle }} onChange={take} />
        </Section>
      )}
      <Section title="Where it counts">
        <RowList
          rows={[
            { label: 'Chain', value: String(place.chainId) },
            { label: 'Registry', value: place.registry, exact: true },
            ...(proposal.approver ? [accountRow(proposal, review)] : []),
            { label: 'Proposal', value: id, exact: true },
          ]}
        />
      </Section>
    </>
  );
}

/** How those approve who have no passkey. */
function Outside({ id }: { id: string }) {
  const command = `firmproof approve ${id}`;
  return (
    <div className="signer-text">
      <p className="quiet">With a wallet or a P-256 key:</p>
      <code className="exact">{command}</code>
      <CopyButton text={command} label="Copy the command" />
    </div>
  );
}

function Deadline({ deadline, finished }: { deadline: number | null; finished: boolean }) {
  if (finished) return null;
  if (deadline === null) return <p className="deadline">Approvals stay good until it is in force.</p>;
  return (
    <p className="deadline">
      To be approved by <strong>{describeTime(deadline)}</strong>{' '}
      <span className="quiet">({describeDistance(deadline, Math.floor(Date.now() / 1000))})</span>
    </p>
  );
}

const accountRow = ({ approver = '' }: { readonly approver?: string | undefined }, { isAccountProved }: Review) => ({
  label: 'Account',
  value: approver,
  exact: true,
  saidByServer: !isAccountProved,
});

const alone = ({ approver }: Proposal) =>
  approver
    ? `${approver} approves alone, with its own wallet: there is nothing to sign in a browser.`
    : 'Nobody has to approve this: the server relays it.';

function obstacleOf(proposal: Proposal, review: Review, sameImage: boolean | null): string | null {
  if (review.checks.some(({ outcome }) => outcome === 'failed'))
    return 'Something on this page is not true, so there is nothing to approve.';
  if (sameImage === false) return 'The file that you chose is another image.';
  if (review.deadline !== null && review.deadline * 1000 < Date.now()) return 'The time for approving has passed.';
  if (proposal.state === 'submitted') return 'All approvals are here already.';
  if (askedPasskeys(proposal).length === 0)
    return 'None of the signers is a passkey: approve with the firmproof command.';
  if (review.typedData === null) return 'There is nothing here that a passkey could sign.';
  return null;
}
