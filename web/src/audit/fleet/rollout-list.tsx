import { type FleetDay, shareAt, wholeFleetBasisPoints } from '@firmproof/protocol';
import type { ChannelHistory } from '@firmproof/protocol/audit';
import { describeShare } from '@firmproof/protocol/review';
import type { ProductAudit } from '../data/audit.ts';
import { plural } from '../parts/words.ts';
import { linkTo } from '../route.ts';

/** Each channel: the share of devices that the chain's schedule offers its head to, and those that say that they run it. */
export function RolloutList({ audit, latest }: { audit: ProductAudit; latest: FleetDay | null }) {
  const channels = [...audit.history.channels.values()];
  if (channels.length === 0) return <p className="empty">Nothing was promoted yet.</p>;
  return (
    <>
      <ul className="rollouts">
        {channels.map((channel) => (
          <Rollout key={channel.channel} audit={audit} channel={channel} latest={latest} />
        ))}
      </ul>
      {channels.length > 1 && (
        <p className="quiet">Receipts do not name a channel: every share is one of all devices that were heard.</p>
      )}
    </>
  );
}

type Props = { readonly audit: ProductAudit; readonly channel: ChannelHistory; readonly latest: FleetDay | null };

function Rollout({ audit, channel, latest }: Props) {
  const move = channel.moves.at(-1);
  if (move === undefined) return null;
  const { version, halted } = channel;
  const schedule = { start: move.start, duration: move.durationSeconds, firstShare: move.firstShareBasisPoints };
  const offered = halted ? 0 : shareAt(schedule, Math.floor(Date.now() / 1000));
  const heard = latest?.running.reduce((sum, { devices }) => sum + devices, 0) ?? 0;
  const confirmed = latest?.running.find((one) => one.version === version)?.devices ?? 0;
  const share = heard === 0 ? 0 : Math.round((confirmed / heard) * wholeFleetBasisPoints);
  return (
    <li>
      <p className="channel-head">
        <strong>{channel.channel}</strong>
        <a href={linkTo.release(audit.product, version)}>{version}</a>
        {halted && <span className="badge failed">halted</span>}
      </p>
      <dl className="meters">
        <dt>Offered</dt>
        <dd>
          <Meter share={offered} kind="offered" />
          <span>{halted ? 'to none: halted' : `to ${describeShare(offered)}`}</span>
        </dd>
        <dt>Running</dt>
        <dd>
          <Meter share={share} kind="confirmed" />
          <span>
            {Math.round(share / 100)} %, {confirmed.toLocaleString('en')} of {plural(heard, 'device')}
          </span>
        </dd>
      </dl>
    </li>
  );
}

/** For the eye: the words beside it say the same. */
const Meter = ({ share, kind }: { share: number; kind: string }) => (
  <span className={`meter ${kind}`} aria-hidden="true">
    <span style={{ width: `${share / 100}%` }} />
  </span>
);
