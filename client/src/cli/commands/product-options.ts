import { FirmproofError, type ProductName, parseAddress, parseChannel, type ServerInfo } from '@firmproof/protocol';
import type { Command } from 'commander';
import { majorityOf, type ProductOptions, type WitnessMember } from '../../product-setup.ts';
import { parseDurationSeconds, parseWholeNumber } from '../../units.ts';
import { type KeylessProductFlags, keylessTrustOf, withKeylessProductOptions } from '../keyless-options.ts';
import type { Session } from '../session.ts';

export type ProductFlags = KeylessProductFlags & {
  readonly hardware: string;
  readonly channels: string;
  readonly delay: string;
  readonly guardian?: string;
  readonly maxAge: string;
  readonly witness: readonly string[];
  readonly quorum?: string;
};

export const collect = (value: string, before: readonly string[]) => [...before, value];

/** What `setup` and `product create` ask about a product. */
export function withProductOptions(command: Command): Command {
  return withKeylessProductOptions(command)
    .option('--hardware <revision>', 'hardware revision in the device files', 'rev-1')
    .option('--channels <names>', 'channels that devices may follow, comma separated', 'stable')
    .option('--delay <duration>', 'veto window between publishing and installing, up to 30d', '0s')
    .option('--guardian <address>', 'account that can only stop: halt, veto, revoke')
    .option('--max-age <duration>', 'how old evidence may be', '7d')
    .option('--witness <operator=key>', 'witness that devices believe (repeat); see firmproof witness', collect, [])
    .option('--quorum <n>', 'how many witnesses have to agree (default: more than half)');
}

/** Everything that can be wrong with them is found before a key is made or anything is sent. */
export async function productOptions(
  session: Session,
  info: ServerInfo,
  name: ProductName,
  flags: ProductFlags,
): Promise<ProductOptions> {
  const keyless = await keylessTrustOf(flags);
  const witnesses = witnessesFrom(session, info, flags.witness);
  channelsOf(flags);
  return {
    name,
    witnesses,
    quorum: flags.quorum === undefined ? majorityOf(witnesses) : parseWholeNumber(flags.quorum, '--quorum', 32),
    maxAgeSeconds: parseDurationSeconds(flags.maxAge),
    delaySeconds: parseDurationSeconds(flags.delay),
    ...(flags.guardian !== undefined && { guardian: parseAddress(flags.guardian) }),
    ...(keyless && { keyless }),
  };
}

export const channelsOf = ({ channels }: Pick<ProductFlags, 'channels'>) => channels.split(',').map(parseChannel);

export function witnessesFrom(session: Session, info: ServerInfo, given: readonly string[]): readonly WitnessMember[] {
  if (given.length > 0) {
    return given.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new FirmproofError('usage-invalid', `--witness "${text}" is not operator=key`);
      return { operator: text.slice(0, at), publicKey: text.slice(at + 1) };
    });
  }
  if (!info.development || info.witnesses.length === 0) {
    throw new FirmproofError('usage-invalid', 'the witnesses that devices are to believe are missing', {
      hint: 'Get operator=key from each operator yourself, not from the server, and give them with --witness.',
    });
  }
  session.output.note('Development: the witnesses are the ones inside the server. Never do so for real devices.');
  return info.witnesses;
}
