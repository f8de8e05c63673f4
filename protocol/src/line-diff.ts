/** One line of two texts: in both, or in one of them alone. */
export type DiffLine = { readonly kind: 'same' | 'gone' | 'new'; readonly text: string };

/** More lines than this are not lined up: all of the one goes, all of the other comes. */
const maximumLines = 2000;

/** How one text becomes another, line by line, by their longest common subsequence. */
export function lineDiff(before: string, now: string): readonly DiffLine[] {
  const [was, is] = [linesOf(before), linesOf(now)];
  if (was.length > maximumLines || is.length > maximumLines)
    return [...was.map((text) => line('gone', text)), ...is.map((text) => line('new', text))];
  // longest[i][j]: of what follows line i of the one and line j of the other.
  const longest = Array.from({ length: was.length + 1 }, () => new Uint16Array(is.length + 1));
  const at = (i: number, j: number) => longest[i]?.[j] ?? 0;
  for (let i = was.length - 1; i >= 0; i -= 1) {
    const row = longest[i] as Uint16Array;
    for (let j = is.length - 1; j >= 0; j -= 1)
      row[j] = was[i] === is[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < was.length || j < is.length) {
    const [old, next] = [was[i], is[j]];
    if (old !== undefined && old === next) {
      lines.push(line('same', old));
      i += 1;
      j += 1;
    } else if (old !== undefined && (next === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push(line('gone', old));
      i += 1;
    } else {
      lines.push(line('new', next ?? ''));
      j += 1;
    }
  }
  return lines;
}

const line = (kind: DiffLine['kind'], text: string): DiffLine => ({ kind, text });
const linesOf = (text: string) => (text === '' ? [] : text.replace(/\r\n/g, '\n').replace(/\n$/, '').split('\n'));
