// Writes docs/spec/vectors/signatures.json: `node test/docs/generate-signature-vectors.ts`. Needs no network and no chain; the
// same each time. test/attacks/signatures.test.ts holds the contract, the server and the browser to it.
import { writeFileSync } from 'node:fs';
import { signatureVectors, signatureVectorsFile } from '../support/signatures/vectors.ts';

writeFileSync(signatureVectorsFile, `${JSON.stringify(signatureVectors(), null, 2)}\n`);
