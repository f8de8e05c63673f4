import { publicLookUp } from '@firmproof/protocol/node/private-host';
import { isProxyHost } from './proxy.ts';

/** For names that evidence gave. Where a proxy is, is for whoever set the variables to say. */
export const lookUpPublic = publicLookUp(isProxyHost);
