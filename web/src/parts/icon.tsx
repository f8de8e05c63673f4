const paths = {
  check: 'm5 12.5 4.5 4.5L19 7',
  attention: 'M12 7.5v6M12 16.8v.2M12 3 2.5 20h19z',
  stop: 'm8 8 8 8m0-8-8 8M12 2.5a9.5 9.5 0 1 1 0 19 9.5 9.5 0 0 1 0-19',
  note: 'M12 11v5.5M12 7.5v.2M12 2.5a9.5 9.5 0 1 1 0 19 9.5 9.5 0 0 1 0-19',
  waiting: 'M12 7v5l3 2M12 2.5a9.5 9.5 0 1 1 0 19 9.5 9.5 0 0 1 0-19',
  cross: 'm6 6 12 12M18 6 6 18',
} as const;
export type IconName = keyof typeof paths;

/** Beside a word that says the same: for the eye only. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
