import { type ReactNode, useEffect, useRef } from 'react';

/** The page's heading: it names the tab, and is where reading starts after a link was followed. */
export function PageTitle({ children }: { children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${heading.current?.textContent ?? ''} · ${applicationName()}`;
    heading.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}

/** Which of the pages these are: their index.html says it. */
const applicationName = () =>
  document.querySelector('meta[name=application-name]')?.getAttribute('content') ?? 'Firmproof';
