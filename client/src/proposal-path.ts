import { bytes32Schema, FirmproofError, shortened } from '@firmproof/protocol';

/** The path of a proposal in the API. @throws FirmproofError `usage-invalid` for what is no id */
export function pathOfProposal(text: string): string {
  const id = bytes32Schema.safeParse(text.toLowerCase());
  if (id.success) return `/v1/proposals/${id.data}`;
  throw new FirmproofError('usage-invalid', `"${shortened(text)}" is no id of a proposal`, {
    hint: 'Copy the whole id, 0x and 64 digits; `firmproof proposal list` shows them.',
  });
}
