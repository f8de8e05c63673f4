export * from './atomic-file.ts';
export * from './image-import.ts';
export * from './json-rpc.ts';
export * from './keys.ts';
export * from './lock-file.ts';
export * from './system-error.ts';
export * from './witness/witness.ts';
export * from './witness/witness-server.ts';
