/** A small program for tests, as argv. The agent itself never starts a shell. */
export const shell = (script: string, ...args: string[]): string[] => ['/bin/sh', '-c', script, 'sh', ...args];
