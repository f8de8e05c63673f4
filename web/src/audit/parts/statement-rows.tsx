import { anyOf, type Statement } from '@firmproof/protocol';
import type { ReleaseHistory } from '@firmproof/protocol/audit';
import { describeBytes, describeTime, type Row } from '@firmproof/protocol/review';
import { RowList } from '../../parts/row-list.tsx';

type Props = { readonly release: ReleaseHistory; readonly statement: Statement | null };

const list = (values: readonly string[], anything: string) =>
  values.length === 1 && values[0] === anyOf ? anything : values.join(', ');

/** What was signed about the image; without the attestation, what the entry itself says. */
export function StatementRows({ release, statement }: Props) {
  const own: Row[] = [
    { label: 'Image sha-256', value: release.image, exact: true },
    { label: 'Attestation sha-256', value: release.attestation, exact: true },
    { label: 'Installable from', value: describeTime(release.installableFrom) },
    { label: 'Publisher', value: release.publisher, exact: true },
    { label: 'Transaction', value: release.transaction, exact: true },
  ];
  return <RowList rows={[...(statement ? statementRows(statement) : []), ...own]} />;
}

function statementRows({ subject, predicate }: Statement): Row[] {
  const { image, hardware, precursors, purpose, notes, sbom, documents = [] } = predicate;
  const { severity, fixedVulnerabilities = [], supportUntil } = predicate;
  return [
    ...(purpose ? [{ label: 'Purpose', value: purpose }] : []),
    ...(severity ? [{ label: 'Severity', value: severity }] : []),
    ...(fixedVulnerabilities.length > 0 ? [{ label: 'Fixes', value: fixedVulnerabilities.join(', ') }] : []),
    ...(supportUntil ? [{ label: 'Supported until', value: supportUntil }] : []),
    { label: 'File name', value: subject[0]?.name ?? '' },
    { label: 'Size', value: describeBytes(image.sizeBytes) },
    { label: 'For hardware', value: list(hardware, 'any') },
    { label: 'Installs over', value: list(precursors, 'any version') },
    ...(notes ? [{ label: 'Notes', value: notes }] : []),
    ...(sbom && documents.length === 0 ? [{ label: 'SBOM', value: `${sbom.format}, sha-256 ${sbom.digest}` }] : []),
    { label: 'Image CID', value: image.cid, exact: true },
  ];
}
