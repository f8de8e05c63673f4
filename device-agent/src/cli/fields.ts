const nameWidth = 16;

/** Names and values in two columns. */
export const fields = (lines: readonly (readonly [string, string])[]): string =>
  lines.map(([name, value]) => `${name.padEnd(nameWidth)}${value}`).join('\n');
