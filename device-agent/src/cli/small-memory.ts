import { setFlagsFromString } from 'node:v8';

// A device has little memory: the young generation stays as small as it starts, which saves a tenth at the peak and costs
// nothing (bench/agent-check.ts). Imported before everything else, because flags hold for what comes after.
setFlagsFromString('--semi-space-growth-factor=1');
