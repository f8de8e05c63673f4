import type { ReactNode } from 'react';
import { Icon } from '../../parts/icon.tsx';
import type { Check } from '../data/check.ts';
import { plural } from './words.ts';

/** The sum of the checks: what failed by name, what was not checked by number, never more than was done. */
export function ReleaseBanner({ checks, children }: { checks: readonly Check[]; children?: ReactNode }) {
  const failed = checks.filter(({ outcome }) => outcome === 'failed');
  const passed = checks.filter(({ outcome }) => outcome === 'passed');
  const unchecked = checks.filter(({ outcome }) => outcome === 'unchecked');
  if (failed.length > 0) {
    return (
      <section className="verdict bad" aria-label="Verdict" role="alert">
        <Icon name="stop" />
        <div>
          <p className="verdict-title">Do not rely on this: something here is not true</p>
          <ul className="problems">
            {failed.map(({ name, text }) => (
              <li key={name}>
                <strong>{name}.</strong> {text}
              </li>
            ))}
          </ul>
        </div>
      </section>
    );
  }
  // The image can only be compared by who has it: without it, everything else can still be sure.
  const missing = unchecked.filter(({ name }) => name !== 'Image');
  const isGood = missing.length === 0;
  return (
    <section className={`verdict ${isGood ? 'good' : 'warn'}`} aria-label="Verdict">
      <Icon name={isGood ? 'check' : 'attention'} />
      <div>
        <p className="verdict-title">
          {isGood
            ? 'The record is genuine: every check that can be made here has passed'
            : 'Not everything about this could be checked here'}
        </p>
        <p>
          {plural(passed.length, 'check')} passed
          {unchecked.length > 0 && `; not checked: ${unchecked.map(({ name }) => name.toLowerCase()).join(', ')}`}.
        </p>
        {!isGood && children}
      </div>
    </section>
  );
}
