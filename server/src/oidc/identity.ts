import * as z from 'zod';

/** What a claim has to be before it becomes part of an identity: text, and no more of it than any issuer writes. */
const claim = z.string().min(1).max(1000);
const claimsSchema = z.object({
  iss: claim,
  sub: claim.optional(),
  email: claim.optional(),
  email_verified: z.unknown().optional(),
  job_workflow_ref: claim.optional(),
  ci_config_ref_uri: claim.optional(),
  organization_slug: claim.optional(),
  pipeline_slug: claim.optional(),
});

const github = 'https://token.actions.githubusercontent.com';
const gitlab = 'https://gitlab.com';
const buildkite = 'https://agent.buildkite.com';

/** An enterprise may have its own issuer: the same, with its name behind. */
const isGitHub = (issuer: string) => issuer === github || issuer.startsWith(`${github}/`);

/**
 * The identity that Fulcio writes into the certificate for an ID token, by Fulcio's own rules (docs/spec/release.md R8):
 * a workflow's address for GitHub, GitLab and Buildkite, else a verified e-mail address, else the subject. Null for a token
 * that Fulcio would give no certificate for.
 */
export function identityOfClaims(payload: object): string | null {
  const parsed = claimsSchema.safeParse(payload);
  if (!parsed.success) return null;
  const claims = parsed.data;
  if (isGitHub(claims.iss)) return claims.job_workflow_ref ? `https://github.com/${claims.job_workflow_ref}` : null;
  if (claims.iss === gitlab) return claims.ci_config_ref_uri ? `https://${claims.ci_config_ref_uri}` : null;
  if (claims.iss === buildkite) {
    const { organization_slug: organization, pipeline_slug: pipeline } = claims;
    return organization && pipeline ? `https://buildkite.com/${organization}/${pipeline}` : null;
  }
  if (claims.email !== undefined) return claims.email_verified === true ? claims.email : null;
  return claims.sub ?? null;
}
