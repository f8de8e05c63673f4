import type { ProposedAction } from '../approval/index.ts';
import type { AccountResource, ProductResource, Signer, Statement } from '../index.ts';
import {
  componentChanges,
  formatSigner,
  type Sbom,
  type SbomDocument,
  subjectDigest,
  zeroAddress,
  zeroBytes32,
} from '../index.ts';
import type { DevicesSaid } from './devices.ts';
import { componentDifferences, documentDifferences, documentRows } from './documents.ts';
import { describeBytes, describeDuration, describeShare, describeTime } from './units.ts';

export type Row = {
  readonly label: string;
  readonly value: string;
  /** What it is now, as the server says. */
  readonly before?: string;
  /** Not part of what is signed, and not proved by it. */
  readonly saidByServer?: boolean;
  /** An identifier to compare letter by letter. */
  readonly exact?: boolean;
  /** Where the value is a list of signers. */
  readonly signers?: readonly { readonly signer: Signer; readonly change: 'stays' | 'comes' | 'goes' }[];
};

const exact = (label: string, value: string): Row => ({ label, value, exact: true });
const plain = (label: string, value: string | number): Row => ({ label, value: String(value) });
const orNobody = (address: string) => (address === zeroAddress ? 'nobody' : address);
const wildcard = (list: readonly string[], anything: string) =>
  list.length === 1 && list[0] === '*' ? anything : list.join(', ');

type Known = {
  readonly product: ProductResource | null;
  readonly account: AccountResource | null;
  readonly statement: Statement | null;
  readonly devices: DevicesSaid | null;
  /** Relayed only when somebody asks for it. */
  readonly held: boolean;
};

/** What is approved, line by line, in the words of a person. */
export function rowsOf({ action, message }: ProposedAction, known: Known): readonly Row[] {
  switch (action) {
    case 'Publish':
      return [
        ...productRows(message.product, known),
        plain('Version', message.version),
        exact('Image sha-256', message.image.slice(2)),
        ...statementRows(known.statement),
        plain('Rollback index', message.rollbackIndex),
        ...notesRow(known.statement),
        exact('Attestation', message.attestation.slice(2)),
      ];
    case 'Promote':
      return [
        ...productRows(message.product, known),
        plain('Channel', message.channel),
        { ...plain('Version', message.version), ...nowOn(known.product, message.channel) },
        ...(known.held ? wayBackRows(message, known.product) : rolloutRows(message)),
        plain('Promotion number', message.counter),
      ];
    case 'Revoke':
      return [...productRows(message.product, known), plain('Version to take back', message.version)];
    case 'Halt':
      return [
        ...productRows(message.product, known),
        { ...plain('Channel to stop', message.channel), ...nowOn(known.product, message.channel) },
      ];
    case 'Register':
      return [
        plain('Name', message.name),
        exact('Publisher', message.publisher),
        exact('Guardian', orNobody(message.guardian)),
        plain('Delay before installable', describeDuration(message.delay)),
        exact('Trust root sha-256', message.trustRoot.slice(2)),
        ...(message.predecessor === zeroBytes32 ? [] : [exact('Follows on product', message.predecessor)]),
      ];
    case 'Configure':
      return [...productRows(message.product, known), ...configurationRows(message, known.product)];
    case 'Accept':
      return [
        ...productRows(message.product, known),
        { ...exact('New publisher', message.publisher), ...before(known.product?.publisher, message.publisher) },
      ];
    case 'Veto':
      return [...productRows(message.product, known), exact('Change to stop', message.pending)];
    case 'AnchorDevices':
      return [
        ...productRows(message.product, known),
        plain('Devices', message.count.toLocaleString('en')),
        ...sampleRow(known.devices, message),
        exact('Merkle root', message.root),
      ];
    case 'RevokeDevice':
      return [...productRows(message.product, known), exact('Device to revoke, by its leaf', message.leaf)];
    case 'SetSigners':
    case 'Recover':
      return [
        ...accountRow(known),
        signersRow('Signers', message.signers, known.account?.signers),
        thresholdRow('Approvals needed', message, known.account),
        {
          label: 'Passkeys alone',
          value: aloneText(message.passkeysAlone),
          ...before(known.account && aloneText(known.account.passkeysAlone), aloneText(message.passkeysAlone)),
        },
      ];
    case 'SetRecovery':
      return [
        ...accountRow(known),
        signersRow('Recovery signers', message.signers, known.account?.recovery.signers),
        thresholdRow('Approvals needed to recover', message, known.account?.recovery ?? null),
      ];
    case 'CancelRecovery':
      return [...accountRow(known), exact('Recovery to cancel', message.pending)];
  }
}

function before(now: string | null | undefined, value: string): { before?: string } {
  return now === null || now === undefined || now === value ? {} : { before: now };
}

function productRows(id: string, { product }: Known): readonly Row[] {
  return [...(product ? [plain('Product', product.name)] : []), exact('Product id', id)];
}

const accountRow = ({ account }: Known): readonly Row[] => (account ? [exact('Account', account.account)] : []);

/** Some ids, where their list is the one that is approved; ids are the list's own, and no part of the root. */
function sampleRow(devices: DevicesSaid | null, { root, count }: { root: string; count: number }): readonly Row[] {
  if (devices === null || devices.root !== root) return [];
  const { sample } = devices;
  const more = count > sample.length ? ` and ${(count - sample.length).toLocaleString('en')} more` : '';
  return [{ ...plain('Among them', `${sample.join(', ')}${more}`), saidByServer: true }];
}

/** All bound by the attestation's digest, which is signed. */
function statementRows(statement: Statement | null): readonly Row[] {
  if (statement === null) return [];
  const { image, hardware, precursors, purpose } = statement.predicate;
  return [
    ...(purpose ? [plain('Purpose', purpose)] : []),
    exact('Image CID', image.cid),
    plain('Image size', describeBytes(image.sizeBytes)),
    plain('File name', statement.subject[0]?.name ?? ''),
    plain('For hardware', wildcard(hardware, 'any')),
    plain('Installs over', wildcard(precursors, 'any version')),
    ...documentRows(statement),
  ];
}

function notesRow(statement: Statement | null): readonly Row[] {
  const notes = statement?.predicate.notes;
  return notes ? [plain('Notes', notes)] : [];
}

function nowOn(product: ProductResource | null, channel: string): { before?: string } {
  const head = product?.channels.find((candidate) => candidate.channel === channel);
  return head ? { before: `${head.version}${head.halted ? ' (halted)' : ''} is there now` } : {};
}

/** Between the channel as it is and a way back lies the next promotion, and on some nights a halt. */
function wayBackRows(message: { channel: string; counter: number }, product: ProductResource | null): readonly Row[] {
  const head = product?.channels.find(({ channel }) => channel === message.channel);
  const steps = head ? message.counter - head.counter - 1 : null;
  const fits =
    steps === 0 ? 'the channel as it is now' : `after ${steps} more ${steps === 1 ? 'step' : 'steps'} of the channel`;
  return [
    { ...plain('Starts', 'only when somebody asks for it: firmproof fall-back'), saidByServer: true },
    ...(steps === null
      ? []
      : [{ ...plain('Fits', `${fits} (a promotion is a step, and so is a halt)`), saidByServer: true }]),
  ];
}

function rolloutRows(message: { start: number; duration: number; firstShare: number }): readonly Row[] {
  const everybody = message.duration === 0 || message.firstShare === 10_000;
  return [
    plain('Starts', message.start === 0 ? 'as soon as it is on chain' : describeTime(message.start)),
    plain(
      'Reaches',
      everybody
        ? 'all devices at once'
        : `${describeShare(message.firstShare)} of the devices first, all after ${describeDuration(message.duration)}`,
    ),
  ];
}

function configurationRows(
  message: { publisher: string; guardian: string; delay: number; trustRoot: string },
  product: ProductResource | null,
): readonly Row[] {
  const row = (label: string, value: string, now: string | undefined, isExact: boolean): Row => ({
    label,
    value,
    ...(isExact && { exact: true }),
    ...before(now, value),
  });
  const delay = product && describeDuration(product.delaySeconds);
  return [
    row('Publisher', message.publisher, product?.publisher, true),
    row('Guardian', orNobody(message.guardian), product ? orNobody(product.guardian) : undefined, true),
    row('Delay before installable', describeDuration(message.delay), delay ?? undefined, false),
    row('Trust root sha-256', message.trustRoot.slice(2), product?.trustRoot, true),
  ];
}

const aloneText = (alone: boolean) =>
  alone ? 'may approve without anybody else' : 'are not enough: one approval must come from outside a browser';

function thresholdRow(
  label: string,
  message: { signers: readonly Signer[]; threshold: number },
  now: { signers: readonly Signer[]; threshold: number } | null,
): Row {
  const text = (of: { signers: readonly Signer[]; threshold: number }) => `${of.threshold} of ${of.signers.length}`;
  return { label, value: text(message), ...before(now && text(now), text(message)) };
}

function signersRow(label: string, next: readonly Signer[], now: readonly Signer[] = []): Row {
  const goes = now.filter((signer) => !next.includes(signer));
  return {
    label,
    value: next.map(formatSigner).join(', ') || 'nobody',
    signers: [
      ...next.map((signer) => ({ signer, change: now.includes(signer) ? ('stays' as const) : ('comes' as const) })),
      ...goes.map((signer) => ({ signer, change: 'goes' as const })),
    ],
  };
}

/** Of a release and the one before it. */
export type Difference = {
  readonly label: string;
  readonly before: string;
  readonly now: string;
  readonly same: boolean;
};

/**
 * How a release differs from another one, from the statements of both; part by part from whole bills of materials, where
 * those are at hand.
 */
export function differencesOf(
  previous: Statement,
  next: Statement,
  sboms: { readonly before: SbomDocument; readonly now: SbomDocument } | null = null,
): readonly Difference[] {
  const [old, current] = [previous.predicate, next.predicate];
  const row = (label: string, was: string, is: string): Difference => ({
    label,
    before: was,
    now: is,
    same: was === is,
  });
  const grown = current.image.sizeBytes - old.image.sizeBytes;
  const growth = grown === 0 ? '' : `, ${grown > 0 ? '+' : '−'}${Math.abs(grown).toLocaleString('en')}`;
  return [
    row('Image', `${subjectDigest(previous).slice(0, 12)}…`, `${subjectDigest(next).slice(0, 12)}…`),
    row('Size', describeBytes(old.image.sizeBytes), `${describeBytes(current.image.sizeBytes)}${growth}`),
    ...(old.purpose || current.purpose
      ? [row('Purpose', old.purpose ?? 'not said', current.purpose ?? 'not said')]
      : []),
    row('Rollback index', String(old.rollbackIndex), String(current.rollbackIndex)),
    row('Hardware', wildcard(old.hardware, 'any'), wildcard(current.hardware, 'any')),
    row('Installs over', wildcard(old.precursors, 'any version'), wildcard(current.precursors, 'any version')),
    ...documentDifferences(previous, next),
    ...(sboms ? componentDifferences(sboms.before, sboms.now) : componentRows(old.sbom, current.sbom)),
  ];
}

/** Components by the bills of materials that both statements carry; where one has no list, only the files can differ. */
function componentRows(old: Sbom | undefined, current: Sbom | undefined): readonly Difference[] {
  if (old === undefined && current === undefined) return [];
  if (!(old?.components && current?.components)) {
    const text = (sbom: Sbom | undefined) => (sbom ? `${sbom.format} ${sbom.digest.slice(0, 12)}…` : 'none');
    return [{ label: 'SBOM', before: text(old), now: text(current), same: old?.digest === current?.digest }];
  }
  const list = (versions: readonly string[]) => versions.join(', ') || '–';
  return componentChanges(old.components, current.components).map(({ name, before: was, now }) => ({
    label: `Component ${name}`,
    before: list(was),
    now: list(now),
    same: false,
  }));
}
