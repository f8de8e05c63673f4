import type { ReactNode } from 'react';
import { Icon } from '../../parts/icon.tsx';
import { type Check, imageCheckName } from '../data/check.ts';
import { plural } from './words.ts';

type Props = {
  readonly checks: readonly Check[];
  /** Whether somebody vouches for the entry: without that nothing that rests on it counts. */
  readonly isVouched: boolean;
  readonly children?: ReactNode;
};

/** The sum of the checks: what failed by name, what was not checked by number, never more than was done. */
export function ReleaseBanner({ checks, isVouched, children }: Props) {
  // A file of the visitor's says nothing about the record: it has a notice of its own.
  const ofRecord = checks.filter(({ name }) => name !== imageCheckName);
  const failed = ofRecord.filter(({ outcome }) => outcome === 'failed');
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
  const isGood = ofRecord.every(({ outcome }) => outcome === 'passed');
  return (
    <section className={`verdict ${isGood ? 'good' : 'warn'}`} aria-label="Verdict">
      <Icon name={isGood ? 'check' : 'attention'} />
      <div>
        <p className="verdict-title">
          {isGood
            ? 'The record is genuine: every check that can be made here has passed'
            : isVouched
              ? 'Not everything about this could be checked here'
              : 'Said by the server: nobody whom you believe vouches for this entry'}
        </p>
        <p>
          {isVouched
            ? `${plural(passed.length, 'check')} passed${unchecked.length === 0 ? '' : `; not checked: ${unchecked.map(({ name }) => name.toLowerCase()).join(', ')}`}.`
            : 'Nothing speaks against it, but what rests on the entry counts as checked only with somebody who vouches for it.'}
        </p>
        {!isGood && children}
      </div>
    </section>
  );
}
