import type { ProductId, TrustRoot } from '@firmproof/protocol';
import { repeatedNode } from '@firmproof/protocol/audit';
import { type FormEvent, useId, useState } from 'react';
import { Notice } from '../../parts/notice.tsx';
import { PageTitle } from '../../parts/page-title.tsx';
import { Section } from '../../parts/section.tsx';
import { ShortId } from '../parts/short-id.tsx';
import { TrustRootChoice } from '../parts/trust-root-choice.tsx';
import { plural, shortHex } from '../parts/words.ts';
import { linkTo } from '../route.ts';
import { maximumNodes, nodeUrlSchema, serverUrlSchema } from '../settings/configuration.ts';
import { majorityOf, type SetBy, useSettings } from '../settings/settings.ts';

const setByWords: Record<SetBy, string> = {
  visitor: 'set by you, kept in this browser',
  operator: 'set by the operator of these pages',
  nobody: 'not set',
};

/** Who carries, and who is believed. */
export function SettingsPage() {
  return (
    <>
      <PageTitle>Settings</PageTitle>
      <p className="lead">
        The server carries the history; it is never believed. Who vouches for the chain is your choice: the witnesses of
        a trust root, or RPC nodes of which several have to agree. Everything here stays in this browser.
      </p>
      <TrustRootSettings />
      <NodeSettings />
      <ServerSettings />
    </>
  );
}

function TrustRootSettings() {
  const { settings, own, change } = useSettings();
  const [added, setAdded] = useState<string | null>(null);
  const roots = [...settings.trustRoots.values()];
  const without = (product: ProductId) => own.trustRoots.filter((root) => root.product !== product);
  const add = (root: TrustRoot) => {
    change({ trustRoots: [...without(root.product), root] });
    setAdded(root.name);
  };
  return (
    <Section title="Trust roots" hint="What devices of a product carry in their image. Its witnesses vouch for blocks.">
      {roots.length > 0 && (
        <ul className="settings-list">
          {roots.map((root) => (
            <li key={root.product}>
              <div>
                <strong>
                  <a href={linkTo.product(root.product)}>{root.name}</a>
                </strong>{' '}
                <ShortId id={root.product} what="product id" />
                <p className="quiet">
                  Version {root.version}, chain {root.chainId}; {root.witnesses.quorum} of{' '}
                  {plural(new Set(root.witnesses.members.map(({ operator }) => operator)).size, 'witness', 'witnesses')}{' '}
                  have to vouch; {setByWords[root.setBy]}.
                </p>
              </div>
              {root.setBy === 'visitor' && (
                <button
                  type="button"
                  className="button"
                  aria-label={`Forget the trust root of ${root.name}, ${shortHex(root.product)}`}
                  onClick={() => change({ trustRoots: without(root.product) })}
                >
                  Forget
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      <TrustRootChoice onChoose={add} />
      {added !== null && <Notice tone="good" title={`The trust root of ${added} is in use.`} />}
    </Section>
  );
}

function NodeSettings() {
  const { settings, own, change } = useSettings();
  const [text, setText] = useState(settings.rpcUrls.join('\n'));
  const [quorum, setQuorum] = useState(own.rpcQuorum ?? (settings.rpcUrls.length > 0 ? settings.rpcQuorum : 0));
  const [mistake, setMistake] = useState<string | null>(null);
  const [saved, setSaved] = useState(false);
  const [area, number, problem] = [useId(), useId(), useId()];
  const lines = [...new Set(text.split('\n').map((line) => line.trim()))].filter((line) => line !== '');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setSaved(false);
    const wrong = lines.find((line) => !nodeUrlSchema.safeParse(line).success);
    if (wrong !== undefined) return setMistake(`“${wrong}” is no http(s) address.`);
    const twice = repeatedNode(lines);
    if (twice !== null) return setMistake(`“${twice}” is a node that is named twice.`);
    if (lines.length > maximumNodes) return setMistake(`More than ${maximumNodes} nodes.`);
    if (quorum > lines.length) return setMistake('More nodes have to agree than there are.');
    setMistake(null);
    setSaved(true);
    change({ rpcUrls: lines, rpcQuorum: quorum === 0 ? undefined : quorum });
  };
  return (
    <Section
      title="RPC nodes"
      hint="Nodes of different operators are worth more than many of one. Their addresses, and keys in them, stay in this browser."
    >
      <p className="quiet">In use: {setByWords[settings.rpcSetBy]}.</p>
      <form className="settings-form" onSubmit={submit}>
        <label htmlFor={area}>One address a line</label>
        <textarea
          id={area}
          rows={3}
          value={text}
          spellCheck={false}
          placeholder="https://rpc.example/v1/…"
          aria-describedby={problem}
          aria-invalid={mistake !== null}
          onChange={({ target }) => setText(target.value)}
        />
        <label htmlFor={number}>How many of them have to agree</label>
        <input
          id={number}
          type="number"
          min={0}
          max={Math.max(lines.length, 1)}
          value={quorum === 0 ? '' : quorum}
          placeholder={`more than half${lines.length > 0 ? `: ${majorityOf(lines.length)}` : ''}`}
          onChange={({ target }) => setQuorum(Number(target.value) || 0)}
        />
        <Saving action="Use these nodes" saved={saved} mistake={mistake} problem={problem}>
          {own.rpcUrls !== undefined && (
            <button
              type="button"
              className="button"
              onClick={() => {
                change({ rpcUrls: undefined, rpcQuorum: undefined });
                setText('');
                setQuorum(0);
                setSaved(false);
              }}
            >
              As the operator has it
            </button>
          )}
        </Saving>
      </form>
    </Section>
  );
}

function ServerSettings() {
  const { settings, own, change } = useSettings();
  const [text, setText] = useState(settings.server);
  const [mistake, setMistake] = useState<string | null>(null);
  const [saved, setSaved] = useState(false);
  const [field, problem] = [useId(), useId()];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const parsed = serverUrlSchema.safeParse(text.trim());
    setSaved(parsed.success);
    if (!parsed.success) return setMistake('That is no http(s) address.');
    setMistake(null);
    change({ server: parsed.data });
  };
  return (
    <Section title="Server" hint="Any Firmproof server: all it can do is be slow, be silent, or be found out.">
      <p className="quiet">
        In use: <code>{settings.server}</code>,{' '}
        {settings.serverSetBy === 'nobody' ? 'which serves these pages' : setByWords[settings.serverSetBy]}.
      </p>
      <form className="settings-form" onSubmit={submit}>
        <label htmlFor={field}>Address of the server</label>
        <input
          id={field}
          value={text}
          autoComplete="off"
          spellCheck={false}
          aria-describedby={problem}
          aria-invalid={mistake !== null}
          onChange={({ target }) => setText(target.value)}
        />
        <Saving action="Use this server" saved={saved} mistake={mistake} problem={problem}>
          {own.server !== undefined && (
            <button
              type="button"
              className="button"
              onClick={() => {
                change({ server: undefined });
                setSaved(false);
              }}
            >
              As the operator has it
            </button>
          )}
        </Saving>
      </form>
    </Section>
  );
}

function Saving(props: {
  readonly action: string;
  readonly saved: boolean;
  readonly mistake: string | null;
  readonly problem: string;
  readonly children: React.ReactNode;
}) {
  return (
    <>
      <p id={props.problem} className="mistake" role="status">
        {props.mistake}
      </p>
      <div className="actions">
        <button type="submit" className="button primary">
          {props.action}
        </button>
        {props.children}
        <span className="saved" role="status">
          {props.saved ? 'In use.' : ''}
        </span>
      </div>
    </>
  );
}
