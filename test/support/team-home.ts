import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Home } from '@firmproof/client';
import { encryptSecret } from '../../client/src/key-file.ts';
import { firmproof, type Outcome, runCommand } from './command.ts';
import type { p256Signer, walletSigner } from './team.ts';
import type { TeamVendor } from './team-vendor.ts';

const passphrase = 'correct horse battery staple';
type KeptSigner = ReturnType<typeof walletSigner> | ReturnType<typeof p256Signer>;

/** A member of a team with a home and the real command; made of a signer that the team has already. */
export type Member = {
  readonly home: string;
  run(...args: string[]): Promise<Outcome>;
  /** Must succeed; what it says as JSON. */
  json(...args: string[]): Promise<Record<string, never>>;
};

/** Files as `signer new` and `team join` leave them; with `isBuilder`, the build key and trust root too. */
export async function memberOf(
  team: Pick<TeamVendor, 'account' | 'product' | 'trustRoot' | 'buildKey' | 'rootKey' | 'stack'>,
  signer: KeptSigner,
  options: { readonly isBuilder?: boolean; readonly isAlone?: boolean } = {},
): Promise<Member> {
  const { stack, account, product, trustRoot } = team;
  const directory = join(stack.directory, `home-${signer.signer.slice(-8)}`);
  const home = new Home(directory);
  mkdirSync(join(directory, 'keys'), { recursive: true });
  const keep = async (job: string, secret: Uint8Array) =>
    writeFileSync(join(directory, 'keys', `${job}.json`), await encryptSecret(secret, passphrase));
  const pkcs8 = { format: 'der', type: 'pkcs8' } as const;
  await keep(
    'approval',
    signer.kind === 'wallet' ? Buffer.from(signer.wallet.privateKey.slice(2), 'hex') : signer.privateKey.export(pkcs8),
  );
  const { chainId, registry } = stack.info;
  await home.change({
    server: stack.url,
    registry: { chainId, registry },
    ...(!options.isAlone && { team: { account } }),
  });
  await home.addProduct(trustRoot.name, product);
  if (options.isBuilder) {
    await keep('build', team.buildKey.export(pkcs8));
    await keep('root', team.rootKey.export(pkcs8));
    mkdirSync(home.productDirectory(trustRoot.name), { recursive: true });
    writeFileSync(join(home.productDirectory(trustRoot.name), 'trust-root.json'), JSON.stringify(trustRoot.envelope));
  }
  const run = (...args: string[]) =>
    runCommand(firmproof, args, { FIRMPROOF_HOME: directory, FIRMPROOF_PASSPHRASE: passphrase });
  return {
    home: directory,
    run,
    async json(...args) {
      const { code, stdout, stderr } = await run(...args, '--json');
      if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
      return JSON.parse(stdout);
    },
  };
}
