export * from './approvers.ts';
export * from './checks.ts';
export * from './documents.ts';
export * from './place.ts';
export * from './review.ts';
export * from './rows.ts';
export * from './said.ts';
export * from './units.ts';
