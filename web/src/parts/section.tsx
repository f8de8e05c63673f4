import { type ReactNode, useId } from 'react';

export function Section({ title, hint, children }: { title: string; hint?: string; children: ReactNode }) {
  const heading = useId();
  return (
    <section className="card" aria-labelledby={heading}>
      <h2 id={heading}>{title}</h2>
      {hint && <p className="quiet hint">{hint}</p>}
      {children}
    </section>
  );
}
