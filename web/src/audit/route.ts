import { type ProductId, parseProductId, parseVersion, type Version, versionSchema } from '@firmproof/protocol';

export type Route =
  | { readonly page: 'products' }
  | { readonly page: 'product'; readonly product: ProductId; readonly query: Query }
  | { readonly page: 'release'; readonly product: ProductId; readonly version: Version }
  | {
      readonly page: 'compare';
      readonly product: ProductId;
      readonly from: Version | null;
      readonly to: Version | null;
    }
  | { readonly page: 'fleet'; readonly product: ProductId }
  | { readonly page: 'settings' }
  | { readonly page: 'unknown'; readonly missing: Missing };

/** What a link names that cannot be: it was cut, or typed. */
export type Missing = { readonly what: 'product' | 'page' | 'release'; readonly product: ProductId | null };

/** Filters of a page, as the address carries them. */
export type Query = Readonly<Record<string, string>>;

/** Pages are told apart by the fragment, so that any static host serves them all, and none learns what is looked at. */
export function routeOf(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#?\/?/, '').split('?');
  const query: Query = Object.fromEntries(new URLSearchParams(search));
  const [page = '', id = '', part, parameter, second, ...more] = path.split('/');
  if (path === '') return { page: 'products' };
  if (path === 'settings') return { page: 'settings' };
  if (page !== 'product') return unknown('page');
  if (!/^0x[0-9a-f]{64}$/i.test(id)) return unknown('product');
  const product = parseProductId(id.toLowerCase());
  if (part === undefined) return { page, product, query };
  if (more.length > 0) return unknown('page', product);
  const versions = [parameter, second].map((text) => (text === undefined ? null : versionOf(text)));
  const [from = null, to = null] = versions;
  if (part === 'compare' && parameter === undefined) return { page: part, product, from, to };
  if (part === 'compare' && from !== null && to !== null) return { page: part, product, from, to };
  if (part === 'fleet' && parameter === undefined) return { page: part, product };
  if (part === 'release' && second === undefined && from !== null) return { page: part, product, version: from };
  return unknown(part === 'release' || part === 'compare' ? 'release' : 'page', product);
}

const unknown = (what: Missing['what'], product: ProductId | null = null): Route => ({
  page: 'unknown',
  missing: { what, product },
});

function versionOf(text: string): Version | null {
  const version = decoded(text);
  return versionSchema.safeParse(version).success ? parseVersion(version) : null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/** Links inside these pages; empty filters are left out. */
export const linkTo = {
  products: () => '#/',
  settings: () => '#/settings',
  product: (product: ProductId, query: Query = {}) => `#/product/${product}${searchOf(query)}`,
  release: (product: ProductId, version: Version) => `#/product/${product}/release/${encodeURIComponent(version)}`,
  compare: (product: ProductId, versions: readonly [from: Version, to: Version] | [] = []) =>
    `#/product/${product}/compare${versions.map((version) => `/${encodeURIComponent(version)}`).join('')}`,
  fleet: (product: ProductId) => `#/product/${product}/fleet`,
};

function searchOf(query: Query): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString();
  return search === '' ? '' : `?${search}`;
}
