import { type Bytes32, parseBytes32 } from '@firmproof/protocol';

export type Route =
  | { readonly page: 'home' }
  | { readonly page: 'enrol' }
  | { readonly page: 'proposal'; readonly id: Bytes32 }
  | { readonly page: 'account'; readonly address: string }
  | { readonly page: 'unknown' };

/** Pages are told apart by the fragment, so that any static host serves them all, and none learns what is looked at. */
export function routeOf(hash: string): Route {
  const [page = '', parameter = '', ...more] = hash.replace(/^#?\/?/, '').split('/');
  if (more.length > 0) return { page: 'unknown' };
  if (page === '' && parameter === '') return { page: 'home' };
  if (page === 'enrol' && parameter === '') return { page: 'enrol' };
  if (page === 'proposal' && /^0x[0-9a-f]{64}$/i.test(parameter)) return { page, id: parseBytes32(parameter) };
  if (page === 'account' && /^0x[0-9a-f]{40}$/i.test(parameter)) return { page, address: parameter.toLowerCase() };
  return { page: 'unknown' };
}
