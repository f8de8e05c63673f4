import type { Version } from '@firmproof/protocol';
import { useId } from 'react';
import type { ProductAudit } from '../data/audit.ts';
import { linkTo } from '../route.ts';

type Props = { readonly audit: ProductAudit; readonly from: Version; readonly to: Version };

/** Either side from a list, newest first; the address says which two these are. */
export function ChooseReleases({ audit, from, to }: Props) {
  const versions = [...audit.history.releases.keys()].reverse();
  const go = (one: Version, other: Version) => {
    location.hash = linkTo.compare(audit.product, [one, other]);
  };
  return (
    <div className="choose-releases">
      <Choice label="From" value={from} versions={versions} onChoose={(version) => go(version, to)} />
      <button type="button" className="button" onClick={() => go(to, from)}>
        Swap
      </button>
      <Choice label="To" value={to} versions={versions} onChoose={(version) => go(from, version)} />
    </div>
  );
}

type ChoiceProps = {
  readonly label: string;
  readonly value: Version;
  readonly versions: readonly Version[];
  readonly onChoose: (version: Version) => void;
};

function Choice({ label, value, versions, onChoose }: ChoiceProps) {
  const field = useId();
  return (
    <div>
      <label htmlFor={field}>{label}</label>
      <select
        id={field}
        value={value}
        onChange={({ target }) => {
          const chosen = versions.find((version) => version === target.value);
          if (chosen) onChoose(chosen);
        }}
      >
        {!versions.includes(value) && <option value={value}>{value} (unknown)</option>}
        {versions.map((version) => (
          <option key={version} value={version}>
            {version}
          </option>
        ))}
      </select>
    </div>
  );
}
