import type { ReactNode } from 'react';
import { Icon } from '../../parts/icon.tsx';
import { plural } from '../parts/words.ts';
import type { Side } from './load-comparison.ts';

type Props = { readonly before: Side; readonly now: Side; readonly children: ReactNode };

/** Whether what follows is what was signed and recorded about both. */
export function ComparisonVerdict({ before, now, children }: Props) {
  const sides = [before, now].map(({ audited }) => ({ ...audited, version: audited.release.version }));
  const failed = sides.flatMap(({ version, checks }) =>
    checks.filter(({ outcome }) => outcome === 'failed').map((one) => ({ version, ...one })),
  );
  if (failed.length > 0)
    return (
      <section className="verdict bad" aria-label="Verdict" role="alert">
        <Icon name="stop" />
        <div>
          <p className="verdict-title">Do not rely on this: something here is not true</p>
          <ul className="problems">
            {failed.map(({ version, name, text }) => (
              <li key={`${version} ${name}`}>
                <strong>
                  {version}: {name}.
                </strong>{' '}
                {text}
              </li>
            ))}
          </ul>
        </div>
      </section>
    );
  const unchecked = sides.flatMap(({ version, checks }) =>
    checks.filter(({ outcome }) => outcome === 'unchecked').map(({ name }) => `${name.toLowerCase()} of ${version}`),
  );
  const isGood = unchecked.length === 0;
  const isVouched = sides.every((side) => side.isVouched);
  const passed = sides.reduce(
    (sum, { checks }) => sum + checks.filter(({ outcome }) => outcome === 'passed').length,
    0,
  );
  return (
    <section className={`verdict ${isGood ? 'good' : 'warn'}`} aria-label="Verdict">
      <Icon name={isGood ? 'check' : 'attention'} />
      <div>
        <p className="verdict-title">
          {isGood
            ? 'Both records are genuine: this is what was signed'
            : isVouched
              ? 'Not everything about these could be checked here'
              : 'Said by the server: nobody whom you believe vouches for these entries'}
        </p>
        <p>
          {isVouched
            ? `${plural(passed, 'check')} passed${isGood ? '' : `; not checked: ${unchecked.join(', ')}`}.`
            : 'Nothing speaks against them, but what rests on an entry counts as checked only with somebody who vouches for it.'}
        </p>
        {!isGood && children}
      </div>
    </section>
  );
}
