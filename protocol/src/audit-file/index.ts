export * from './line.ts';
export * from './reader.ts';
export * from './writer.ts';
