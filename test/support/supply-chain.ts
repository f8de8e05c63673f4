// Documents about a release as tools write them: small, and right in every part that their formats ask for.

type Part = { readonly name: string; readonly version: string; readonly license?: string };

export const cycloneDx = (parts: readonly Part[], more: object = {}) => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  serialNumber: 'urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79',
  version: 1,
  components: parts.map(({ name, version, license }) => ({
    type: 'library',
    name,
    version,
    purl: `pkg:generic/${name}@${version}`,
    ...(license && { licenses: [{ license: { id: license } }] }),
  })),
  ...more,
});

export const spdx2 = (parts: readonly Part[], more: object = {}) => ({
  spdxVersion: 'SPDX-2.3',
  dataLicense: 'CC0-1.0',
  SPDXID: 'SPDXRef-DOCUMENT',
  name: 'firmware',
  documentNamespace: 'https://vendor.example/spdx/firmware-1',
  creationInfo: { created: '2026-11-25T12:00:00Z', creators: ['Tool: test-1.0'] },
  packages: parts.map(({ name, version, license }, index) => ({
    SPDXID: `SPDXRef-Package-${index}`,
    name,
    versionInfo: version,
    downloadLocation: 'NOASSERTION',
    ...(license && { licenseConcluded: license }),
    externalRefs: [
      {
        referenceCategory: 'PACKAGE-MANAGER',
        referenceType: 'purl',
        referenceLocator: `pkg:generic/${name}@${version}`,
      },
    ],
  })),
  relationships: [
    { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: 'SPDXRef-Package-0' },
  ],
  ...more,
});

export const spdx3 = (parts: readonly Part[]) => ({
  '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld',
  '@graph': [
    {
      type: 'CreationInfo',
      '@id': '_:creation',
      specVersion: '3.0.1',
      created: '2026-11-25T12:00:00Z',
      createdBy: ['urn:vendor'],
    },
    { type: 'Organization', spdxId: 'urn:vendor', name: 'Vendor', creationInfo: '_:creation' },
    { type: 'SpdxDocument', spdxId: 'urn:document', creationInfo: '_:creation', rootElement: ['urn:part:0'] },
    ...parts.map(({ name, version }, index) => ({
      type: 'software_Package',
      spdxId: `urn:part:${index}`,
      creationInfo: '_:creation',
      name,
      software_packageVersion: version,
      software_packageUrl: `pkg:generic/${name}@${version}`,
    })),
  ],
});

/** SLSA provenance v1 of an image with this sha-256. */
export const provenance = (sha256: string, more: object = {}) => ({
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'firmware.bin', digest: { sha256 } }],
  predicateType: 'https://slsa.dev/provenance/v1',
  predicate: {
    buildDefinition: { buildType: 'https://vendor.example/build/v1', externalParameters: { ref: 'refs/heads/main' } },
    runDetails: { builder: { id: 'https://vendor.example/builder' } },
  },
  ...more,
});

export const inEnvelope = (statement: object) => ({
  payloadType: 'application/vnd.in-toto+json',
  payload: Buffer.from(JSON.stringify(statement)).toString('base64'),
  signatures: [{ keyid: '', sig: 'c2lnbmF0dXJl' }],
});

export const openVex = (product: string, more: object = {}) => ({
  '@context': 'https://openvex.dev/ns/v0.2.0',
  '@id': 'https://vendor.example/vex/1',
  author: 'Vendor PSIRT',
  timestamp: '2026-11-25T12:00:00Z',
  version: 1,
  statements: [
    {
      vulnerability: { name: 'CVE-2026-12345' },
      products: [{ '@id': `pkg:generic/${product}@1.1.0` }],
      status: 'fixed',
      ...more,
    },
  ],
});
