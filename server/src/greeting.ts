import type { RunningServer } from './server.ts';

const defaultPort = '8440';

/** What a person wants to know once the server runs: where everything is, and what to type next. */
export function greetingOf({ url, publicUrl, hasPages, info }: RunningServer): string {
  const origin = publicUrl ?? url;
  // A passkey needs a name, so the pages are at localhost, not at its number.
  const pages = hasPages ? origin.replace(/^http:\/\/127\.0\.0\.1(?=:|$)/, 'http://localhost') : 'off';
  const mode = info.development ? '--solo' : '--team 2-of-3';
  const isDefault = origin === `http://127.0.0.1:${defaultPort}`;
  return [
    `Firmproof is running${info.development ? ', with a development chain and witnesses of its own' : ''}. Ctrl-C stops it.`,
    `  API             ${origin} (described at ${origin}/openapi.json)`,
    `  approval pages  ${pages}`,
    `  audit pages     ${pages === 'off' ? pages : `${pages}/audit/`}`,
    `  chain           ${info.chainId}, registry ${info.registry}`,
    'Next, in another terminal:',
    `  npx firmproof setup ${mode} --product NAME${isDefault ? '' : ` --server ${origin}`}`,
  ].join('\n');
}
