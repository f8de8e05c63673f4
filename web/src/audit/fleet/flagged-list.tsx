import type { DeviceResource } from '@firmproof/protocol';
import { describeTime } from '@firmproof/protocol/review';
import { plural } from '../parts/words.ts';

const flagWords = {
  'clone-suspected': 'Two devices speak with its key',
  'split-view': 'It was shown another chain',
} as const;

/** Devices that the server has flagged, with what speaks for it. */
export function FlaggedList({ devices, total }: { devices: readonly DeviceResource[]; total: number }) {
  if (devices.length === 0) return <p className="empty">None: no device reports anything that does not fit.</p>;
  return (
    <>
      <ul className="flagged">
        {devices.map(({ device, keyDigest, running, lastSeenAt, flags }) => (
          <li key={keyDigest}>
            <p>
              <code>{device}</code>
              {running && <span className="badge">{running.version}</span>}
            </p>
            {flags.map(({ code, at, evidence }) => (
              <p key={code} className="flag">
                <strong>{flagWords[code]}</strong> since {describeTime(at)}: {evidence}.
              </p>
            ))}
            {lastSeenAt !== null && <p className="quiet">Last heard {describeTime(lastSeenAt)}.</p>}
          </li>
        ))}
      </ul>
      {total > devices.length && (
        <p className="quiet">
          And {plural(total - devices.length, 'other device')}: <code>firmproof device list --flagged</code>.
        </p>
      )}
    </>
  );
}
