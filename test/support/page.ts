import { readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url).pathname;

export const readPage = (file: string): string => readFileSync(`${root}${file}`, 'utf8');

/** The sections of a page by their headings, in order. */
export const sectionsOf = (page: string): readonly { readonly heading: string; readonly text: string }[] =>
  page
    .split(/^## /m)
    .slice(1)
    .map((text) => ({ heading: text.slice(0, text.indexOf('\n')), text }));

/** What a reader types: the shell code of a section, block by block. */
export const shellBlocks = (text: string): readonly string[] =>
  [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
