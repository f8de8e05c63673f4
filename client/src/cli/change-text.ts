import { type ActionMessage, zeroAddress } from '@firmproof/protocol';

/** What a configuration says, line by line. */
export const changeRows = ({
  publisher,
  guardian,
  delay,
  trustRoot,
}: ActionMessage<'Configure'>): [string, string][] => [
  ['publisher', publisher],
  ['guardian', guardian === zeroAddress ? 'none' : guardian],
  ['veto window', `${delay} s`],
  ['trust root', `sha-256 ${trustRoot.slice(2)}`],
];
