import { FirmproofError } from '@firmproof/protocol';
import { z } from 'zod';
import { requireValidCycloneDx } from './cyclonedx.ts';
import { mistakesIn } from './mistakes.ts';

type Fields = Readonly<Record<string, unknown>>;

const text = z.string().min(1);
const iri = z.string().regex(/^[A-Za-z][A-Za-z0-9+.-]*:\S+$/, 'is no IRI');
const instant = z.iso.datetime({ offset: true });
const component = {
  '@id': iri.optional(),
  identifiers: z.partialRecord(z.enum(['purl', 'cpe22', 'cpe23', '@cpe22', '@cpe23']), text).optional(),
  hashes: z.record(z.string().regex(/^[a-z0-9-]+$/), text).optional(),
};
const productSchema = z.strictObject({ ...component, subcomponents: z.array(z.strictObject(component)).optional() });
const statementSchema = z
  .strictObject({
    '@id': iri.optional(),
    version: z.int().min(1).optional(),
    vulnerability: z.strictObject({
      '@id': iri.optional(),
      name: text,
      description: z.string().optional(),
      aliases: z.array(text).optional(),
    }),
    timestamp: instant.optional(),
    last_updated: instant.optional(),
    products: z.array(productSchema).optional(),
    status: z.enum(['not_affected', 'affected', 'fixed', 'under_investigation']),
    supplier: z.string().optional(),
    status_notes: z.string().optional(),
    justification: z
      .enum([
        'component_not_present',
        'vulnerable_code_not_present',
        'vulnerable_code_not_in_execute_path',
        'vulnerable_code_cannot_be_controlled_by_adversary',
        'inline_mitigations_already_exist',
      ])
      .optional(),
    impact_statement: text.optional(),
    action_statement: text.optional(),
    action_statement_timestamp: instant.optional(),
  })
  .refine(
    ({ status, justification, impact_statement: impact }) => status !== 'not_affected' || !!(justification ?? impact),
    {
      message: 'not_affected needs a justification or an impact_statement',
    },
  )
  .refine(({ status, action_statement: action }) => status !== 'affected' || !!action, {
    message: 'affected needs an action_statement',
  });
const openVexSchema = z.strictObject({
  '@context': z.string().regex(/^https:\/\/openvex\.dev\/ns(?:\/v0\.2\.0)?$/, 'is no context of OpenVEX v0.2.0'),
  '@id': iri,
  author: text,
  role: z.string().optional(),
  timestamp: instant,
  last_updated: instant.optional(),
  version: z.int().min(1),
  tooling: z.string().optional(),
  statements: z.array(statementSchema).min(1),
});

/** A VEX document, with what it says it is about: ids, package URLs and hashes of products. */
export type Vex = { readonly format: 'openvex' | 'cyclonedx'; readonly products: readonly string[] };

/** Reads OpenVEX v0.2.0, or CycloneDX with vulnerabilities. @throws FirmproofError `vex-malformed`, naming the places that are wrong */
export async function readVex(document: Fields, what: string): Promise<Vex> {
  const refuse = (mistake: string) => new FirmproofError('vex-malformed', `${what}: ${mistake}`);
  if (document['bomFormat'] !== undefined) {
    await requireValidCycloneDx(document, 'vex-malformed', what);
    const { vulnerabilities, metadata } = document;
    if (!Array.isArray(vulnerabilities) || vulnerabilities.length === 0)
      throw refuse('vulnerabilities: there are none');
    return { format: 'cyclonedx', products: [JSON.stringify([metadata ?? null, vulnerabilities])] };
  }
  const parsed = openVexSchema.safeParse(document);
  if (!parsed.success) throw refuse(mistakesIn(parsed.error));
  const products = parsed.data.statements.flatMap(({ products: named = [] }) => named);
  return {
    format: 'openvex',
    products: products.flatMap(({ '@id': id, identifiers, hashes }) => [
      ...(id === undefined ? [] : [id]),
      ...Object.values(identifiers ?? {}),
      ...Object.values(hashes ?? {}),
    ]),
  };
}

/** Whether a VEX document names what it ought to be about by one of these names: a digest, an id, the name of the product. */
export const isNamed = ({ products }: Vex, names: readonly string[]): boolean =>
  products.some((product) => names.some((name) => product.toLowerCase().includes(name.toLowerCase())));
