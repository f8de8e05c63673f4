export * from './describe-image.ts';
export * from './unixfs-tree.ts';
