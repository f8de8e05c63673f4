import { type AuditOptions, type AuditSummary, auditProduct } from '@firmproof/client';

/** What an audit comes to, where its rows are not looked at. */
export async function auditSummary(options: AuditOptions): Promise<AuditSummary> {
  using audit = await auditProduct(options);
  return audit.summary;
}
