import { plural } from '../parts/words.ts';
import { type Band, type Bands, dayInWords, spreadLabels } from './bands.ts';

const [width, height] = [1000, 100];
const labelGap = 11;
const labelledShare = 0.14;

const nameOf = ({ version }: Pick<Band, 'version'>) => version ?? 'older';
const percent = (part: number, whole: number) => `${Math.round((part / Math.max(whole, 1)) * 100)} %`;

/** How many devices ran what, day by day: newest on top, each band with its name on it. */
export function VersionsChart({ bands: { days, bands, most } }: { bands: Bands }) {
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined) return <p className="empty">No device was heard yet.</p>;
  const y = (devices: number) => height - (devices / most) * height;
  const x = (index: number) => (index / days.length) * width;
  const under = days.map(() => 0);
  const drawn = bands.map((band) => {
    const bottom = [...under];
    for (const [index, devices] of band.devices.entries()) under[index] = (under[index] ?? 0) + devices;
    return { band, bottom, top: [...under] };
  });
  const end = days.length - 1;
  const total = under[end] ?? 0;
  const running = drawn.filter(({ band }) => (band.devices[end] ?? 0) > 0);
  const middles = running.map(({ bottom, top }) => y(((bottom[end] ?? 0) + (top[end] ?? 0)) / 2));
  const places = spreadLabels(middles, labelGap);
  return (
    <figure className="versions">
      <div className="versions-chart">
        <p className="versions-most" aria-hidden="true">
          {plural(most, 'device')}
        </p>
        <div className="versions-area">
          <svg
            viewBox={`0 0 ${width} ${height}`}
            preserveAspectRatio="none"
            role="img"
            aria-label={`Stacked areas: ${inWords(bands, days)}`}
          >
            {drawn.map(({ band, bottom, top }) => (
              <path key={nameOf(band)} className={`band n${band.shade}`} d={stepArea(bottom, top, x, y)} />
            ))}
          </svg>
          {drawn.map(({ band, bottom, top }) => {
            const at = widest(band.devices);
            const isNamed = (band.devices[end] ?? 0) === 0 && (band.devices[at] ?? 0) >= most * labelledShare;
            return (
              isNamed && (
                <span
                  key={nameOf(band)}
                  className="band-name"
                  aria-hidden="true"
                  style={{
                    left: `${Math.min(Math.max((x(at + 0.5) / width) * 100, 7), 93)}%`,
                    top: `${y(((bottom[at] ?? 0) + (top[at] ?? 0)) / 2)}%`,
                  }}
                >
                  {nameOf(band)}
                </span>
              )
            );
          })}
        </div>
        <ul className="versions-now" aria-label="What runs today">
          {running.map(({ band }, index) => (
            <li key={nameOf(band)} style={{ top: `${places[index]}%` }}>
              <i className={`swatch n${band.shade}`} aria-hidden="true" />
              <strong>{nameOf(band)}</strong> <span>{percent(band.devices[end] ?? 0, total)}</span>
              <span className="visually-hidden">, {plural(band.devices[end] ?? 0, 'device')}</span>
            </li>
          ))}
        </ul>
        <p className="versions-axis" aria-hidden="true">
          <span>{dayInWords(first)}</span>
          <span>{dayInWords(last)}</span>
        </p>
      </div>
      <details>
        <summary>As a table</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also for those who have no pointer */}
        <section className="table-scroll" aria-label="Devices by day and version" tabIndex={0}>
          <table className="numbers">
            <thead>
              <tr>
                <th scope="col">Day</th>
                {bands.map((band) => (
                  <th key={nameOf(band)} scope="col">
                    {nameOf(band)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {days
                .map((day, index) => (
                  <tr key={day}>
                    <th scope="row">{dayInWords(day)}</th>
                    {bands.map((band) => (
                      <td key={nameOf(band)}>{(band.devices[index] ?? 0).toLocaleString('en')}</td>
                    ))}
                  </tr>
                ))
                .reverse()}
            </tbody>
          </table>
        </section>
      </details>
    </figure>
  );
}

const widest = (devices: readonly number[]) => devices.indexOf(Math.max(...devices));

/** Steps: what a device runs changes on a day, not between days. */
function stepArea(
  bottom: readonly number[],
  top: readonly number[],
  x: (index: number) => number,
  y: (devices: number) => number,
): string {
  const there = top.map((devices, index) => `L${x(index)} ${y(devices)}H${x(index + 1)}`).join('');
  const back = bottom.map((devices, index) => `V${y(devices)}H${x(index)}`);
  return `M0 ${y(bottom[0] ?? 0)}${there}${back.reverse().join('')}Z`;
}

function inWords(bands: readonly Band[], days: readonly number[]): string {
  const on = (index: number) =>
    bands
      .filter((band) => (band.devices[index] ?? 0) > 0)
      .map((band) => `${band.devices[index]} on ${nameOf(band)}`)
      .join(', ') || 'none';
  const end = days.length - 1;
  return `${dayInWords(days[0] ?? 0)}: ${on(0)}. ${dayInWords(days[end] ?? 0)}: ${on(end)}.`;
}
