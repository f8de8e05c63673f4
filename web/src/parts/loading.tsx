/** Says what is waited for, and keeps the place of what comes. */
export function Loading({ what }: { what: string }) {
  return (
    <div className="loading" role="status">
      <p>Loading {what} …</p>
      <div className="bar" />
      <div className="bar short" />
      <div className="bar" />
    </div>
  );
}
