export { type AccountActionMessage, type AccountActionName, accountActions, accountTypes } from './account-actions.ts';
export * from './approval.ts';
export * from './proposed.ts';
export * from './requests.ts';
export * from './requirements.ts';
export * from './signature.ts';
export * from './typed-data.ts';
