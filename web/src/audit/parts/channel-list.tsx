import { type ProductId, shareAt } from '@firmproof/protocol';
import type { ChannelHistory, ProductHistory } from '@firmproof/protocol/audit';
import { describeDistance, describeShare, describeTime } from '@firmproof/protocol/review';
import { linkTo } from '../route.ts';
import { rollout } from './event-words.ts';
import { RampChart } from './ramp-chart.tsx';
import { plural } from './words.ts';

/** Where each channel stands, and how it got there. */
export function ChannelList({ product, history }: { product: ProductId; history: ProductHistory }) {
  const channels = [...history.channels.values()];
  if (channels.length === 0) return <p className="empty">Nothing was promoted yet: no device is offered anything.</p>;
  return (
    <ul className="channels">
      {channels.map((channel) => (
        <Channel key={channel.channel} product={product} channel={channel} history={history} />
      ))}
    </ul>
  );
}

type Props = {
  readonly product: ProductId;
  readonly channel: ChannelHistory;
  readonly history: ProductHistory;
};

function Channel({ product, channel, history }: Props) {
  const now = Math.floor(Date.now() / 1000);
  const move = channel.moves.at(-1);
  if (move === undefined) return null;
  const revoked = history.releases.get(channel.version)?.revoked ?? null;
  const backwards = channel.moves.filter((one) => one.backwards).length;
  return (
    <li className="channel">
      <p className="channel-head">
        <strong>{channel.channel}</strong>
        <a href={linkTo.release(product, channel.version)}>{channel.version}</a>
        {channel.halted && <span className="badge failed">halted</span>}
        {revoked && <span className="badge failed">head revoked</span>}
      </p>
      <RampChart channel={channel} now={now} />
      <p className="channel-words">
        {channel.halted
          ? `Stopped since ${describeTime(channel.halts.at(-1)?.at ?? move.at)}: devices install nothing from here. Planned was (dashed): ${rollout(move)}.`
          : standing(move, now)}
      </p>
      <p className="channel-words quiet">
        {plural(channel.moves.length, 'promotion')}, {plural(channel.halts.length, 'halt')}
        {backwards > 0 && `, ${plural(backwards, 'move backwards', 'moves backwards')}`};{' '}
        <a href={linkTo.product(product, { channel: channel.channel })}>
          show<span className="visually-hidden"> what happened on {channel.channel}</span>
        </a>
      </p>
    </li>
  );
}

function standing(move: ChannelHistory['moves'][number], now: number): string {
  const schedule = { start: move.start, duration: move.durationSeconds, firstShare: move.firstShareBasisPoints };
  if (now < move.start) return `Starts ${describeTime(move.start)}: ${rollout(move)}.`;
  const share = shareAt(schedule, now);
  const end = move.start + move.durationSeconds;
  return now < end
    ? `${describeShare(share)} of the devices now, all ${describeDistance(end, now)}.`
    : `All devices since ${describeTime(Math.max(move.start, end))}.`;
}
