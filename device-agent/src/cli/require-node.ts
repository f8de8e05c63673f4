import { FirmproofError } from '@firmproof/protocol';

const oldestNode = 24;

/** An older Node runs most of the agent and leaves out the rest without a word. @throws FirmproofError `node-too-old` */
export function requireNode(version: string): void {
  if (Number(version.split('.')[0]) >= oldestNode) return;
  throw new FirmproofError('node-too-old', `the agent needs Node ${oldestNode} or newer, this is ${version}`);
}
