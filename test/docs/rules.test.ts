// The specification and the code name each other: every rule is kept somewhere, and nothing claims to keep a rule that is none.
import { globSync, readFileSync } from 'node:fs';
import { findingCodes } from '@firmproof/protocol/audit';
import { describe, expect, test } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;
const textOf = (file: string) => readFileSync(`${root}${file}`, 'utf8');

/** Rules in bold (`- **D12** …`), and sections with a number (`## S1 …`). */
const rulesOf = (page: string): readonly string[] =>
  [...textOf(`docs/spec/${page}`).matchAll(/^(?:- \*\*|## )([A-Z]\d{1,2})(?:\*\*)? /gm)].map(([, rule = '']) => rule);

const sources = globSync(['{client,contracts,device-agent,protocol,server}/src/**/*.{ts,sol}', 'protocol/node/*.ts'], {
  cwd: root,
});
const comment = /\/\*[\s\S]*?\*\/|\/\/.*$/gm;
const letters = 'BDIKLMNPQRSVWX';

/** What comments name. `D1 to D4` names all four. */
function citedIn(file: string): readonly string[] {
  const comments = (textOf(file).match(comment) ?? []).join('\n');
  const single = [...comments.matchAll(new RegExp(`\\b([${letters}]\\d{1,2})(?:\\.\\d+)?\\b`, 'g'))];
  const ranges = [...comments.matchAll(new RegExp(`\\b([${letters}])(\\d{1,2}) to \\1(\\d{1,2})\\b`, 'g'))];
  return [
    ...single.map(([, rule = '']) => rule),
    ...ranges.flatMap(([, letter, from, to]) =>
      Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => `${letter}${Number(from) + index}`),
    ),
  ];
}

const cited = new Map(sources.map((file) => [file, citedIn(file)]));
const pages = [
  'device.md',
  'receipts.md',
  'device-anchor.md',
  'release.md',
  'rebuilds-and-advisories.md',
  'audit.md',
  'server-log.md',
];

describe.each(pages)('docs/spec/%s', (page) => {
  test('has rules, and each of them is kept somewhere that says so', () => {
    const rules = rulesOf(page);
    expect(rules.length).toBeGreaterThan(3);
    const kept = new Set([...cited.values()].flat());
    expect(rules.filter((rule) => !kept.has(rule))).toEqual([]);
  });
});

test('no comment names a rule that there is not', () => {
  const rules = new Set(pages.flatMap(rulesOf));
  const unknown = [...cited].flatMap(([file, names]) =>
    names.filter((name) => !rules.has(name)).map((name) => `${file}: ${name}`),
  );
  expect(unknown).toEqual([]);
});

test('every finding of an audit is explained, and nothing else is', () => {
  const explained = [...textOf('docs/spec/audit.md').matchAll(/^\| `([a-z-]+)` /gm)].map(([, code]) => code);
  expect(explained.toSorted()).toEqual([...findingCodes].toSorted());
});
