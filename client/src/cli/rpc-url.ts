import { FirmproofError } from '@firmproof/protocol';

/** @throws FirmproofError `usage-invalid` for what is no address of an RPC node */
export function requireRpcUrl(text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
  throw new FirmproofError('usage-invalid', `"${text.slice(0, 40)}" is no address of an RPC node`, {
    hint: 'Give its http(s) address, as http://127.0.0.1:8545.',
  });
}
