import type { AuditBasis } from '../audit/report.ts';

/** Who vouches for the block that everything is proved against, for people who run no commands. */
export function restsOn({ entries, nodes, witnesses }: AuditBasis): string {
  const sentences: string[] = [];
  if (nodes?.asked === 1)
    sentences.push(`That this block is the chain’s own is the word of one node: ${nodes.agree[0] ?? 'unknown'}.`);
  else if (nodes)
    sentences.push(
      `${nodes.agree.length} of ${nodes.asked} nodes show this block alike (${nodes.quorum} were needed): ${nodes.agree.join(', ')}.`,
    );
  if (witnesses) {
    const { operators, quorum, sequence, block, trustRoot } = witnesses;
    const whose =
      trustRoot === 'held' ? 'of a trust root that was there before' : 'of the trust root that the chain itself names';
    sentences.push(
      `${operators.length} witnesses (${quorum} were needed) ${whose} vouch for the history up to event ${sequence}, at block ${block}: ${operators.join(', ')}.`,
    );
  } else if (nodes === null)
    sentences.push('It was read from a file: the block in it is the word of whoever made the file, and nobody else’s.');
  else sentences.push('No witness was compared with.');
  if (entries === 'server') sentences.push('A server carried the events; they were replayed against the proof.');
  return sentences.join(' ');
}
