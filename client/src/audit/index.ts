export { Audit } from './audit.ts';
export { type AuditOptions, type AuditStep, auditProduct } from './audit-product.ts';
export { ContentSource } from './content-source.ts';
export { writeAuditFile } from './export.ts';
export { auditFile } from './offline.ts';
export type { AuditedAdvisory, AuditedApproval, AuditedEvent, AuditedRelease, AuditSummary } from './report.ts';
