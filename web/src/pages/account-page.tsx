import {
  type AccountResource,
  type Login,
  loginTypes,
  type Proposal,
  parseAddress,
  parseBytes32,
  type ServerInfo,
  type Signer,
  serverDomain,
  signerKind,
  toHex,
} from '@firmproof/protocol';
import { typedDataHash } from '@firmproof/protocol/approval';
import { checkPlace, describeDistance, describeTime } from '@firmproof/protocol/review';
import { useState } from 'react';
import { judgePlace, rememberPlace } from '../memory.ts';
import { Failure } from '../parts/failure.tsx';
import { Loading } from '../parts/loading.tsx';
import { Notice } from '../parts/notice.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { ProposalList } from '../parts/proposal-list.tsx';
import { RowList } from '../parts/row-list.tsx';
import { Section } from '../parts/section.tsx';
import { SignerName } from '../parts/signer-name.tsx';
import { useLoaded } from '../parts/use-loaded.ts';
import { passkeyObstacle, signWithPasskey } from '../passkey/webauthn.ts';
import type { Api } from '../server/api.ts';
import type { Settings } from '../settings.ts';

const loginSeconds = 300;

type Props = { readonly api: Api; readonly settings: Settings; readonly address: string };

/** A vendor account: who may approve, what protects it, and what waits for approval. */
export function AccountPage({ api, settings, address }: Props) {
  const loaded = useLoaded(() => Promise.all([api.info(), api.account(address)]), address);
  return (
    <>
      <p className="kicker">Account</p>
      <PageTitle>Who approves</PageTitle>
      <p>
        <code className="exact">{address}</code>
      </p>
      {loaded.state === 'loading' && <Loading what="the account" />}
      {loaded.state === 'failed' && <Failure error={loaded.error} onRetry={loaded.reload} />}
      {loaded.state === 'ready' && (
        <Shown api={api} settings={settings} info={loaded.value[0]} account={loaded.value[1]} />
      )}
    </>
  );
}

type ShownProps = Omit<Props, 'address'> & { readonly info: ServerInfo; readonly account: AccountResource };

function Shown({ api, settings, info, account }: ShownProps) {
  const { recovery, pendingRecovery } = account;
  return (
    <>
      {pendingRecovery && (
        <Notice tone="bad" title="Somebody wants to recover this account with other signers.">
          It can be done from {describeTime(pendingRecovery.recoverableFrom)} on (
          {describeDistance(pendingRecovery.recoverableFrom, Math.floor(Date.now() / 1000))}). If that is not you,
          cancel it now: <code>firmproof team recover --cancel</code>.
        </Notice>
      )}
      <Section title="Signers" hint="As the server says.">
        <RowList
          rows={[
            { label: 'Approvals needed', value: `${account.threshold} of ${account.signers.length}` },
            {
              label: 'Passkeys alone',
              value: account.passkeysAlone
                ? 'may approve without anybody else'
                : 'are not enough: one approval must come from outside a browser',
            },
          ]}
        />
        <SignerList signers={account.signers} />
      </Section>
      <Section title="Recovery" hint="They can set new signers after 30 days’ notice, which the signers can cancel.">
        {recovery.signers.length === 0 ? (
          <p className="empty">Nobody can recover this account. If too many signers lose their keys, it is lost.</p>
        ) : (
          <>
            <p>
              {recovery.threshold} of {recovery.signers.length} of these:
            </p>
            <SignerList signers={recovery.signers} />
          </>
        )}
      </Section>
      <Section title="Proposals">
        <Waiting api={api} settings={settings} info={info} account={account} />
      </Section>
    </>
  );
}

const SignerList = ({ signers }: { signers: readonly Signer[] }) => (
  <ul className="signers">
    {signers.map((signer) => (
      <li key={signer}>
        <SignerName signer={signer} />
      </li>
    ))}
  </ul>
);

/** The list is for signers only: a passkey logs in for it. The token is kept nowhere but here. */
function Waiting({ api, settings, info, account }: ShownProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [proposals, setProposals] = useState<readonly Proposal[] | null>(null);
  const signers = [...account.signers, ...account.recovery.signers];
  const place = judgePlace(info, settings);
  const judged = checkPlace(place);
  if (judged.outcome === 'failed') return <Notice tone="bad" title={judged.text} />;
  if (!signers.some((signer) => signerKind(signer) === 'passkey'))
    return (
      <p className="empty">
        No signer is a passkey: see them with <code>firmproof status</code>.
      </p>
    );
  if (proposals !== null) return <ProposalList proposals={proposals} />;

  const show = async () => {
    setBusy(true);
    setError(null);
    try {
      const { message, hash } = loginFor(account, settings, place.chainId);
      const token = await api.login(message, await signWithPasskey(hash, signers));
      rememberPlace(place, settings);
      setProposals(await api.accountProposals(account.account, token));
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  return (
    <>
      <p>What waits is shown to signers of the account.</p>
      <button
        type="button"
        className="button primary"
        disabled={busy || passkeyObstacle() !== null}
        onClick={() => void show()}
      >
        {busy ? 'Waiting for your passkey …' : 'Show them with a passkey'}
      </button>
      {error !== null && <Failure error={error} />}
    </>
  );
}

/** For one server, once, for minutes: no server can use it at another. */
function loginFor(account: AccountResource, { server }: Settings, chainId: number) {
  const message: Login = {
    publisher: parseAddress(account.account),
    origin: server,
    nonce: parseBytes32(toHex(crypto.getRandomValues(new Uint8Array(32)))),
    deadline: Math.floor(Date.now() / 1000) + loginSeconds,
  };
  const typed = { domain: serverDomain(chainId), types: loginTypes, primaryType: 'Login', message };
  return { message, hash: typedDataHash(typed) };
}
