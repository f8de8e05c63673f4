import { FirmproofError, type Proposal, type Reject, rejectTypes, serverDomain } from '@firmproof/protocol';
import { typedDataHash } from '@firmproof/protocol/approval';
import type { Place, Review } from '@firmproof/protocol/review';
import { askedPasskeys } from '@firmproof/protocol/review';
import { type FormEvent, useId, useState } from 'react';
import { rememberPlace } from '../memory.ts';
import { keptPasskeys } from '../passkey/kept.ts';
import { passkeyObstacle, signWithPasskey } from '../passkey/webauthn.ts';
import type { Api } from '../server/api.ts';
import type { Settings } from '../settings.ts';
import { Failure } from './failure.tsx';

const rejectionSeconds = 600;
const maximumReason = 300;

type Props = {
  readonly api: Api;
  readonly settings: Settings;
  /** The id in the link: what the person was asked about, whatever the server shows. */
  readonly id: Proposal['id'];
  readonly proposal: Proposal;
  readonly review: Review;
  readonly place: Place;
  /** Why nobody should approve now; null when nothing is known against it. */
  readonly obstacle: string | null;
  readonly onChange: (proposal: Proposal) => void;
};

/** Approve or reject, with a passkey. What is signed is the hash of exactly what the review shows. */
export function Decision({ api, settings, id, proposal, review, place, obstacle, onChange }: Props) {
  const [busy, setBusy] = useState<'approve' | 'reject' | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [rejecting, setRejecting] = useState(false);
  const why = useId();
  const passkeys = askedPasskeys(proposal);
  const own = keptPasskeys().filter(({ signer }) => passkeys.includes(signer));
  const approved = proposal.approvals.some(({ signer }) => own.some((kept) => kept.signer === signer));

  async function act(what: 'approve' | 'reject', sign: () => Promise<Proposal>): Promise<void> {
    setBusy(what);
    setError(null);
    try {
      onChange(await sign());
      rememberPlace(place, settings);
      setRejecting(false);
    } catch (failure) {
      setError(failure);
    }
    setBusy(null);
  }

  const approve = () =>
    act('approve', async () => {
      if (review.typedData === null) throw new FirmproofError('approval-invalid', 'there is nothing here to approve');
      return api.approve(id, await signWithPasskey(typedDataHash(review.typedData), passkeys));
    });

  const reject = (reason: string) =>
    act('reject', async () => {
      const message: Reject = {
        proposal: id,
        reason,
        deadline: Math.floor(Date.now() / 1000) + rejectionSeconds,
      };
      const domain = serverDomain(place.chainId);
      const hash = typedDataHash({ domain, types: rejectTypes, primaryType: 'Reject', message });
      return api.reject(id, message, await signWithPasskey(hash, passkeys));
    });

  const blocked = obstacle ?? passkeyObstacle()?.message ?? null;
  const who = own.length === 1 ? ` with “${own[0]?.label}”` : ' with a passkey';
  return (
    <>
      <div className="actions">
        <button
          type="button"
          className="button primary"
          disabled={blocked !== null || busy !== null}
          aria-describedby={why}
          onClick={() => void approve()}
        >
          {busy === 'approve' ? 'Waiting for your passkey …' : approved ? `Approve again${who}` : `Approve${who}`}
        </button>
        <button
          type="button"
          className="button danger"
          disabled={busy !== null || passkeyObstacle() !== null || place.familiarity === 'other'}
          aria-expanded={rejecting}
          onClick={() => setRejecting(!rejecting)}
        >
          Reject …
        </button>
      </div>
      <p id={why} className="quiet why">
        {blocked ?? 'Your device asks for your fingerprint, face or code, and signs what this page shows.'}
      </p>
      {rejecting && <RejectForm busy={busy === 'reject'} onReject={(reason) => void reject(reason)} />}
      {error !== null && <Failure error={error} />}
    </>
  );
}

function RejectForm({ busy, onReject }: { busy: boolean; onReject: (reason: string) => void }) {
  const [reason, setReason] = useState('');
  const field = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onReject(reason.trim());
  };
  return (
    <form className="reject" onSubmit={submit}>
      <label htmlFor={field}>Why should this not happen? Everybody who may approve reads it.</label>
      <textarea
        id={field}
        rows={3}
        required
        maxLength={maximumReason}
        value={reason}
        onChange={({ target }) => setReason(target.value)}
      />
      <button type="submit" className="button danger" disabled={busy || reason.trim() === ''}>
        {busy ? 'Waiting for your passkey …' : 'Reject with a passkey'}
      </button>
    </form>
  );
}
