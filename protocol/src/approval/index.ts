export { type AccountActionMessage, type AccountActionName, accountActions } from './account-actions.ts';
export * from './approval.ts';
export * from './proposals.ts';
export * from './signature.ts';
export * from './typed-data.ts';
