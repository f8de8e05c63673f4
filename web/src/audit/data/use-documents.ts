import { type ReleaseDocument, type Statement, sha256 } from '@firmproof/protocol';
import { useCallback, useEffect, useMemo, useState } from 'react';
import type { ProductAudit } from './audit.ts';
import { type Check, check, reasonOf } from './check.ts';

/** Documents that are small in all are fetched and hashed unasked. */
const maximumUnaskedBytes = 4 * 1024 * 1024;

export type DocumentState =
  | { readonly state: 'unchecked' | 'fetching' }
  | { readonly state: 'same'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly state: 'other'; readonly why: string }
  | { readonly state: 'missing'; readonly why: string };

export type CheckedDocument = { readonly document: ReleaseDocument; readonly outcome: DocumentState };

/** The documents that a statement names, each fetched from the server and held against the digest that was signed. */
export function useDocuments(
  { carrier, product }: ProductAudit,
  statement: Statement | null,
): { readonly documents: readonly CheckedDocument[]; readonly fetch: (document: ReleaseDocument) => void } {
  const named = useMemo(() => statement?.predicate.documents ?? [], [statement]);
  const [outcomes, setOutcomes] = useState<Readonly<Record<string, DocumentState>>>({});
  const fetchOne = useCallback(
    async (document: ReleaseDocument) => {
      const { digest, sizeBytes } = document;
      const tell = (outcome: DocumentState) => setOutcomes((now) => ({ ...now, [digest]: outcome }));
      tell({ state: 'fetching' });
      try {
        const bytes = await carrier.document(product, digest, sizeBytes + 1);
        const computed = sha256(bytes);
        if (computed === digest && bytes.length === sizeBytes) tell({ state: 'same', bytes });
        else tell({ state: 'other', why: `what the server gives has ${bytes.length} bytes and sha-256 ${computed}` });
      } catch (error) {
        tell({ state: 'missing', why: reasonOf(error) });
      }
    },
    [carrier, product],
  );
  useEffect(() => {
    const total = named.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (total <= maximumUnaskedBytes) for (const document of named) void fetchOne(document);
  }, [named, fetchOne]);
  return {
    documents: named.map((document) => ({ document, outcome: outcomes[document.digest] ?? { state: 'unchecked' } })),
    fetch: (document) => void fetchOne(document),
  };
}

/** All documents in one check; none where the statement names none. */
export function checkDocuments(documents: readonly CheckedDocument[]): readonly Check[] {
  const name = 'Documents';
  if (documents.length === 0) return [];
  const other = documents.find(({ outcome }) => outcome.state === 'other');
  if (other) return [check(name, 'failed', `The server gives another file as ${other.document.name}.`)];
  const same = documents.filter(({ outcome }) => outcome.state === 'same').length;
  return same === documents.length
    ? [check(name, 'passed', `${same} of ${same} have the digests that were signed: fetched and hashed here.`)]
    : [check(name, 'unchecked', `${same} of ${documents.length} were fetched and hashed here.`)];
}
