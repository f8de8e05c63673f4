import { shareAt, wholeFleetBasisPoints } from '@firmproof/protocol';
import type { ChannelHistory, ChannelMove } from '@firmproof/protocol/audit';
import { describeTime } from '@firmproof/protocol/review';

const [width, height] = [480, 64];
const shownMoves = 12;

type Point = readonly [x: number, y: number];

/** The share of devices that each head of a channel has reached, over time. For the eye: the words beside it say the same. */
export function RampChart({ channel, now }: { channel: ChannelHistory; now: number }) {
  const moves = channel.moves.slice(-shownMoves);
  const [first, last] = [moves[0], moves.at(-1)];
  if (first === undefined || last === undefined) return null;
  const from = first.at;
  const to = Math.max(now, last.start + last.durationSeconds, from + 1);
  const x = (time: number) => ((time - from) / (to - from)) * width;
  const halts = channel.halts.filter(({ at }) => at >= from);
  return (
    <>
      <svg
        className="ramp"
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        aria-hidden="true"
        focusable="false"
      >
        <path className="ramp-grid" d={`M0 ${height / 2}H${width}M0 0.5H${width}M0 ${height - 0.5}H${width}`} />
        {moves.map((move, index) => {
          const stopped = halts.find(({ at, sequence }) => at >= move.at && sequence > move.sequence)?.at ?? to;
          const end = Math.min(moves[index + 1]?.at ?? to, stopped);
          const points = rampPoints(move, end).map(([time, share]): Point => [x(time), yOf(share)]);
          return (
            <g key={move.sequence} className={index === moves.length - 1 ? 'ramp-head' : `ramp-before n${index % 2}`}>
              <path className="ramp-area" d={`${pathOf(points)}V${height}H${points[0]?.[0] ?? 0}Z`} />
              <path className="ramp-line" d={pathOf(points)} />
            </g>
          );
        })}
        {channel.halted && <Planned move={last} to={to} x={x} />}
        {halts.map(({ sequence, at }) => (
          <path key={sequence} className="ramp-halt" d={`M${x(at)} 0V${height}`} />
        ))}
        {to > now && <path className="ramp-now" d={`M${x(now)} 0V${height}`} />}
      </svg>
      <p className="ramp-axis" aria-hidden="true">
        <span>{describeTime(from)}</span>
        <span>{to > now ? `now, and until ${describeTime(to)}` : 'now'}</span>
      </p>
    </>
  );
}

const yOf = (shareBasisPoints: number) => height - (shareBasisPoints / wholeFleetBasisPoints) * (height - 2) - 1;
const pathOf = (points: readonly Point[]) =>
  points.map(([px, py], index) => `${index ? 'L' : 'M'}${px} ${py}`).join('');

/** What a rollout that was halted would have come to: without it, one that was halted at its start is an empty box. */
function Planned({ move, to, x }: { move: ChannelMove; to: number; x: (time: number) => number }) {
  const points = rampPoints(move, to).map(([time, share]): Point => [x(time), yOf(share)]);
  return <path className="ramp-planned" d={pathOf(points)} />;
}

/** From the start to the end of a head's time: flat where it is, straight where it rises. */
function rampPoints(move: ChannelMove, end: number): readonly Point[] {
  const schedule = { start: move.start, duration: move.durationSeconds, firstShare: move.firstShareBasisPoints };
  const start = Math.min(move.start, end);
  const full = Math.min(move.start + move.durationSeconds, end);
  return [
    [start, shareAt(schedule, start)],
    [full, shareAt(schedule, full)],
    [end, shareAt(schedule, end)],
  ];
}
