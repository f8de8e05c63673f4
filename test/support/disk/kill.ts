// Loaded before the agent: kills the process around one of its journal entries, or before one of its calls of the disk, as the
// environment says.
import process from 'node:process';
import { watchDisk } from './watch.ts';

const {
  FIRMPROOF_TEST_DISK: directory = '',
  FIRMPROOF_TEST_ENTRY: entry,
  FIRMPROOF_TEST_WHEN: when,
  FIRMPROOF_TEST_CALL: call,
} = process.env;
let entries = 0;
let isNext = false;

watchDisk(directory, (what, number) => {
  if (number === Number(call)) process.kill(process.pid, 'SIGKILL');
  const isEntry = what.startsWith('promises.rename') && what.endsWith('/journal.json.new');
  if (isEntry) entries += 1;
  const isHere = isEntry && entries === Number(entry);
  if (isNext || (isHere && when === 'before')) process.kill(process.pid, 'SIGKILL');
  isNext = isHere;
});
