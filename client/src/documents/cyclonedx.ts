import { type ErrorCode, FirmproofError } from '@firmproof/protocol';

type Fields = Readonly<Record<string, unknown>>;

/** Its validator compares each item of a list with every other one, so lists are given to it in pieces. */
const piece = 500;
const longLists = ['components', 'services', 'dependencies', 'compositions', 'vulnerabilities', 'annotations'] as const;

/**
 * Checks CycloneDX in JSON against the schema of its version, with the library of the format's makers.
 * @throws FirmproofError with the given code, naming the first place that is wrong
 */
export async function requireValidCycloneDx(document: Fields, code: ErrorCode, what: string): Promise<void> {
  // A quarter of a second to load: only what publishes a document waits for it.
  const { Spec, Validation } = await import('@cyclonedx/cyclonedx-library');
  const { specVersion } = document;
  const version = Object.values(Spec.Version).find((known) => known === specVersion);
  if (version === undefined || version === Spec.Version.v1dot0 || version === Spec.Version.v1dot1)
    throw new FirmproofError(
      code,
      `${what}: CycloneDX ${JSON.stringify(specVersion) ?? 'without specVersion'} is not known here`,
    );
  const validator = new Validation.JsonStrictValidator(version);
  for (const { part, offsets } of piecesOf(document)) {
    const mistakes: unknown = await validator.validate(JSON.stringify(part));
    if (mistakes !== null) throw new FirmproofError(code, `${what}: ${describeMistake(mistakes, offsets)}`);
  }
  requireUnique(document, code, what);
}

type Piece = { readonly part: Fields; readonly offsets: Readonly<Record<string, number>> };

function* piecesOf(document: Fields): Generator<Piece> {
  const long = longLists.filter((name) => listOf(document, name).length > piece);
  yield {
    part: { ...document, ...Object.fromEntries(long.map((name) => [name, listOf(document, name).slice(0, piece)])) },
    offsets: {},
  };
  const { bomFormat, specVersion, version } = document;
  for (const name of long) {
    const list = listOf(document, name);
    for (let start = piece; start < list.length; start += piece) {
      const envelope = { bomFormat, specVersion, ...(version !== undefined && { version }) };
      yield { part: { ...envelope, [name]: list.slice(start, start + piece) }, offsets: { [name]: start } };
    }
  }
}

const listOf = (document: Fields, name: string): readonly unknown[] => {
  const list = document[name];
  return Array.isArray(list) ? list : [];
};

/** What pieces cannot tell: an item that comes again in another one. */
function requireUnique(document: Fields, code: ErrorCode, what: string): void {
  for (const name of longLists) {
    const seen = new Set<string>();
    for (const [index, item] of listOf(document, name).entries()) {
      const text = JSON.stringify(item);
      if (seen.has(text)) throw new FirmproofError(code, `${what}: ${name}.${index}: comes a second time`);
      seen.add(text);
    }
  }
}

/** "components.3: must have required property 'name'". */
function describeMistake(mistakes: unknown, offsets: Piece['offsets']): string {
  const [first]: unknown[] = Array.isArray(mistakes) ? mistakes : [];
  const { instancePath, message, params }: Fields = typeof first === 'object' && first !== null ? { ...first } : {};
  const [list = '', index, ...rest] = String(instancePath ?? '')
    .split('/')
    .slice(1);
  const at = index === undefined ? index : String(Number(index) + (offsets[list] ?? 0));
  const path = [list, at, ...rest].filter((step) => step !== undefined && step !== '').join('.');
  const extra = typeof params === 'object' && params !== null && 'additionalProperty' in params;
  return `${path || '(document)'}: ${String(message ?? 'is malformed')}${extra ? ` ("${String(params.additionalProperty)}")` : ''}`;
}
