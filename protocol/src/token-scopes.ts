import * as z from 'zod';
import { addressSchema } from './bytes.ts';
import { productIdSchema } from './names.ts';

/** What a token may do on a server. None of them is authority over releases: that needs approvals on chain (A35). */
export const tokenScopes = ['publish', 'propose', 'read-receipts', 'admin'] as const;
export type TokenScope = (typeof tokenScopes)[number];

/** For people; docs and `--help` print these. */
export const tokenScopeMeanings: Readonly<Record<TokenScope, string>> = {
  publish: 'propose everything of the publisher, stop channels, enrol devices; see releases before they are announced',
  propose: 'propose releases and promotions of one product',
  'read-receipts': 'read devices, receipts and the fleet',
  admin: 'make and revoke tokens, manage webhooks, read the log of the server',
};

/** What a login gets that asks for nothing: a person's daily work. */
export const loginScopes = ['publish', 'read-receipts'] as const satisfies readonly TokenScope[];

export const minimumTokenSeconds = 60;
export const maximumTokenSeconds = 366 * 86_400;

export const tokenScopesSchema = z
  .array(z.enum(tokenScopes))
  .min(1)
  .max(tokenScopes.length)
  .refine((scopes) => new Set(scopes).size === scopes.length, 'names a scope twice')
  .meta({ description: tokenScopes.map((scope) => `${scope}: ${tokenScopeMeanings[scope]}.`).join(' ') });

/** Names a token without being it: the beginning of its hash. */
export const tokenIdSchema = z
  .string()
  .regex(/^[0-9a-f]{16}$/)
  .meta({ description: 'Names the token without being it.' });

/** Printable ASCII: it is shown in terminals and in logs. */
export const tokenLabelSchema = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[ -~]+$/, 'has other than printable ASCII characters');

const seconds = z.int().min(0).meta({ description: 'Seconds since 1970.' });

export const createTokenRequestSchema = z
  .object({
    scopes: tokenScopesSchema,
    product: productIdSchema.optional().meta({ description: 'The only product that the token is for.' }),
    lifetimeSeconds: z.int().min(minimumTokenSeconds).max(maximumTokenSeconds),
    label: tokenLabelSchema.optional(),
  })
  .refine(({ scopes, product }) => product !== undefined || !scopes.includes('propose'), {
    message: 'a token to propose is for one product',
    path: ['product'],
  })
  .refine(({ scopes, product }) => product === undefined || !scopes.includes('admin'), {
    message: 'admin is for the whole publisher, not for one product',
    path: ['product'],
  })
  .meta({ id: 'CreateTokenRequest' });
export type CreateTokenRequest = z.infer<typeof createTokenRequestSchema>;

/** How a token came to be: by a signed login, by the identity of a run of CI, or by another token. */
export const tokenOrigins = ['login', 'identity', 'token'] as const;

/** A token as its publisher sees it: everything but the token. */
export const tokenResourceSchema = z
  .object({
    id: tokenIdSchema,
    publisher: addressSchema,
    scopes: tokenScopesSchema,
    product: productIdSchema.optional(),
    label: tokenLabelSchema.optional(),
    origin: z.enum(tokenOrigins),
    createdAt: seconds,
    expiresAt: seconds,
    lastUsedAt: seconds.optional().meta({ description: 'To the hour.' }),
  })
  .meta({ id: 'TokenResource' });
export type TokenResource = z.infer<typeof tokenResourceSchema>;
