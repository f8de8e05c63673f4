// Loaded before the commands that tests start, and before the tests themselves: hundreds of times a passphrase opens a key,
// and its real cost of a third of a second is proved once, in test/unit/client/key-file.test.ts.
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

const { scrypt } = crypto;
crypto.scrypt = (passphrase, salt, sizeBytes, options, callback) =>
  scrypt(passphrase, salt, sizeBytes, { ...options, N: 1024 }, callback);
syncBuiltinESMExports();
