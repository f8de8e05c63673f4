import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PreparedDocuments, prepareDocuments } from '@firmproof/client';
import type { FirmwareVersion } from './firmware.ts';

/** What the demo knows of the firmware that it publishes: the package that it takes it from. */
export async function documentsOf(version: FirmwareVersion, directory: string): Promise<PreparedDocuments> {
  mkdirSync(directory, { recursive: true });
  const file = (name: string, content: string) => {
    const path = join(directory, `${version}-${name}`);
    writeFileSync(path, content);
    return path;
  };
  const sbom = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'firmware', name: 'prime-hub', version } },
    components: [
      {
        type: 'firmware',
        group: '@pybricks',
        name: 'firmware',
        version,
        purl: `pkg:npm/%40pybricks/firmware@${version}`,
        licenses: [{ license: { id: 'MIT' } }],
      },
    ],
  };
  return prepareDocuments({
    sboms: [file('prime-hub.cdx.json', JSON.stringify(sbom))],
    notes: [file('notes.md', `# prime-hub ${version}\n\nThe firmware of the package @pybricks/firmware, as it is.\n`)],
  });
}
