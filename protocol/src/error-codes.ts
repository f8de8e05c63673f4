type Explanation = { readonly meaning: string; readonly remedy: string };

/** Verdicts of a device (docs/spec/device.md). `explain` prints these texts. */
const deviceCodes = {
  'no-quorum': {
    meaning: 'Fewer independent witnesses than the trust root demands vouch for the block that this evidence rests on.',
    remedy: 'Nothing is wrong with the device. Ask the operators of the witnesses, or try another server.',
  },
  'chain-mismatch': {
    meaning: 'The evidence is about another chain than the one in the trust root.',
    remedy: 'Point the device at a server that serves its own product.',
  },
  stale: {
    meaning:
      'The evidence rests on a block that is older than the trust root allows: the server may be hiding newer releases.',
    remedy:
      'Try another server; check that the server and the chain are running. A file: export it again, or take it with `--accept-old-block`.',
  },
  'sequence-rollback': {
    meaning: 'The evidence shows an older history of the product than one that this device has already seen proved.',
    remedy: 'The server is out of date or replays old evidence. Try another server. A file: export it again.',
  },
  equivocation: {
    meaning: 'Two different histories of the product were vouched for at the same sequence number. Somebody lies.',
    remedy: 'Tell the vendor at once and keep the evidence file: it proves that witnesses signed two histories.',
  },
  'block-rollback': {
    meaning: 'The evidence rests on a block that is older than one that was already proved to this device.',
    remedy: 'Export a newer file. Even `--accept-old-block` takes nothing older than what the device has seen.',
  },
  'offline-file-malformed': {
    meaning: 'The file is no CAR as `firmproof export` writes it: damaged, cut off, or made by something else.',
    remedy: 'Copy the file again and compare its size and sha-256, or export it again.',
  },
  'offline-file-incomplete': {
    meaning: 'The file lacks a part that an installation needs.',
    remedy: 'Export it again; a device needs root block, evidence, trust roots, attestation and the whole image.',
  },
  'offline-file-mismatch': {
    meaning: 'The file is for another product or channel than this device follows.',
    remedy: 'Export the file for the product and channel that `firmproof-agent status` shows.',
  },
  'account-proof-invalid': {
    meaning: "The Merkle proof of the registry's account does not lead to the state root that the witnesses vouch for.",
    remedy: 'The server or its RPC node gave false or damaged data. Try another server.',
  },
  'registry-absent': {
    meaning: 'The proof shows that no contract exists at the registry address in the trust root.',
    remedy: 'The trust root is for another chain, or the evidence is from a chain that lacks the registry.',
  },
  'registry-code-mismatch': {
    meaning: 'The registry runs other code than the trust root pins.',
    remedy: 'Do not update. Tell the vendor.',
  },
  'storage-proof-invalid': {
    meaning: "A Merkle proof of the registry's storage does not lead to the proven storage root.",
    remedy: 'The server or its RPC node gave false or damaged data. Try another server.',
  },
  'proof-too-large': {
    meaning: 'The proofs are larger than any honest proof can be (64 nodes each, 256 KiB in all).',
    remedy: 'Try another server.',
  },
  'product-unknown': {
    meaning: 'The chain proves that this product is not registered.',
    remedy: 'Check the trust root of the device image: wrong product id, registry or chain.',
  },
  'channel-empty': {
    meaning: 'The channel does not point at any release yet.',
    remedy: 'Nothing to do: the device asks again later.',
  },
  'channel-halted': {
    meaning: 'The vendor or the guardian has halted this channel. Nothing is installed until a new promotion.',
    remedy: 'Nothing to do: the device asks again later.',
  },
  'release-unknown': {
    meaning: 'The channel points at a version that has no release on chain.',
    remedy: 'Tell the vendor.',
  },
  'head-revoked': {
    meaning: 'The release at the head of the channel has been revoked. What runs keeps running.',
    remedy: 'Nothing to do on the device: the vendor promotes another release.',
  },
  'not-installable-yet': {
    meaning: 'The release is inside its veto window.',
    remedy: 'Nothing to do: the device asks again later.',
  },
  'below-rollback-floor': {
    meaning:
      'The release has a lower rollback index than one that this device has confirmed: it would bring back a closed hole.',
    remedy: 'Promote a release whose rollback index is at least the confirmed one.',
  },
  'commitment-mismatch': {
    meaning: 'The image and attestation digests do not hash to the commitment that the chain holds for this version.',
    remedy: 'The server mixed parts of different releases, or was tampered with. Try another server.',
  },
  'trust-root-mismatch': {
    meaning: 'The chain names another trust root than the one this device can reach.',
    remedy: 'Try another server; ask the vendor for the missing trust-root documents.',
  },
  'trust-root-malformed': {
    meaning: 'A trust root document does not have the form of docs/spec/release.md.',
    remedy:
      'Get the file again, whole, from the vendor or a device image. For a vendor: `firmproof setup` makes it, `firmproof product trust` writes it.',
  },
  'trust-root-signature-invalid': {
    meaning: 'A trust root is not signed by enough root keys of the old and of the new version.',
    remedy:
      'Do not believe it, and get the trust root again from the vendor or a device image. For a vendor who has made it: sign with the thresholds of both versions.',
  },
  'trust-root-version': {
    meaning: 'A trust root does not follow directly on the version before it.',
    remedy: 'Serve every version in between: versions rise by one.',
  },
  'trust-root-ahead': {
    meaning:
      'A newer trust root is signed well, but no chain that this device can verify names it, and it has not been 90 days of device time since evidence verified.',
    remedy: 'Keep the old chain and its witnesses running until the devices have seen the new trust root; else wait.',
  },
  'product-moved': {
    meaning: 'The product has moved to another chain or registry, where it has another id.',
    remedy: 'A device follows by itself, by the trust roots. Ask for the new id, or see the trust roots of this one.',
  },
  'attestation-malformed': {
    meaning: 'The attestation is no Sigstore bundle v0.3 with one DSSE signature by a public key or a certificate.',
    remedy: 'Sign with `firmproof publish`, or see docs/spec/release.md.',
  },
  'attestation-payload-type': {
    meaning: 'What the attestation signs is no in-toto statement (wrong payloadType).',
    remedy: 'Sign with payload type application/vnd.in-toto+json.',
  },
  'attestation-keyid-mismatch': {
    meaning: "The signature's keyid and the verification material's hint name different keys.",
    remedy: 'The attestation was altered. Publish the genuine one.',
  },
  'attestation-key-unknown': {
    meaning: 'The attestation is signed by a key that the trust root does not name as a build key.',
    remedy: 'Sign with a build key of the current trust root, or add the key to a new trust root.',
  },
  'attestation-signature-invalid': {
    meaning: 'The signature of the attestation does not fit the build key or the certificate that it names.',
    remedy: 'The attestation was altered. Publish the genuine one.',
  },
  'attestation-not-logged': {
    meaning: 'No transparency log of the Sigstore trusted root proves that it contains this keyless attestation.',
    remedy:
      'Sign with the Rekor of the trusted root that the trust root names: `firmproof publish --keyless --rekor-url`.',
  },
  'attestation-untimed': {
    meaning: 'Nothing proves when the keyless attestation was signed, so its short-lived certificate proves nothing.',
    remedy: 'Sign with a log or a timestamp authority of the trusted root; see `--timestamp-url`.',
  },
  'certificate-untrusted': {
    meaning:
      'The certificate of a keyless attestation does not lead to an authority of the Sigstore trusted root, was not valid when it signed, is not for signing code, or is in no certificate log.',
    remedy:
      'Sign with the Fulcio of the trusted root that the trust root names: `firmproof publish --keyless --fulcio-url`.',
  },
  'identity-mismatch': {
    meaning: 'The keyless attestation is signed by an identity that the trust root does not name, letter by letter.',
    remedy: 'Sign in the workflow that the trust root names, or name this identity in a new trust root.',
  },
  'issuer-mismatch': {
    meaning: 'The right identity has signed, but another issuer vouches for it than the one in the trust root.',
    remedy: 'Sign where the issuer of the trust root logs in, or name this issuer in a new trust root.',
  },
  'keyless-unexpected': {
    meaning: 'The attestation is keyless, and the trust root names build keys only.',
    remedy: 'Sign with a build key, or name the identity in a new trust root.',
  },
  'keyless-unsupported': {
    meaning: 'The attestation is keyless, and this program has nothing to verify it with.',
    remedy: 'Verify with `firmproof verify` or an agent, which have.',
  },
  'sigstore-root-missing': {
    meaning: 'The Sigstore trusted root that the trust root names was not sent along.',
    remedy: 'Send it with the trust root (`--sigstore-root`); on a device try another server.',
  },
  'sigstore-root-mismatch': {
    meaning: 'The Sigstore trusted root that was sent has another digest than the one in the trust root.',
    remedy: 'Send exactly the file that the trust root was made with; on a device try another server.',
  },
  'sigstore-root-malformed': {
    meaning: 'The Sigstore trusted root is no TrustedRoot document, or lacks authorities or logs.',
    remedy: 'Get it again from your Sigstore instance; see docs/spec/release.md R7.',
  },
  'statement-malformed': {
    meaning: 'The signed statement does not have the form of docs/spec/release.md.',
    remedy: 'Build the statement with `firmproof publish`.',
  },
  'statement-type': {
    meaning: 'The statement is no in-toto Statement v1.',
    remedy: 'Use _type https://in-toto.io/Statement/v1.',
  },
  'statement-predicate-type': {
    meaning: 'The statement is about something else than a firmware release (wrong predicateType).',
    remedy: 'Use predicate type https://firmproof.dev/release/v1.',
  },
  'statement-product': {
    meaning: 'The statement is for another product.',
    remedy: 'Publish an image that was signed for this product.',
  },
  'statement-version': {
    meaning: 'The statement names another version than the record on chain.',
    remedy: 'Publish with the version that was signed.',
  },
  'statement-subject': {
    meaning: 'The statement is about other image bytes than the chain has recorded.',
    remedy: 'Sign the image that you publish.',
  },
  'statement-size': {
    meaning: 'The size in the statement is not the size of the image.',
    remedy: 'Sign the image that you publish.',
  },
  'statement-cid': {
    meaning: 'The CID in the statement is not the CID of the image under profile unixfs-v1-2025.',
    remedy: 'Compute the CID with `firmproof publish`.',
  },
  'statement-rollback-index': {
    meaning: 'The statement and the chain disagree about the rollback index.',
    remedy: 'Sign and approve the same rollback index.',
  },
  'hardware-mismatch': {
    meaning: 'The release is not for the hardware revision of this device.',
    remedy: 'Publish a release that names this hardware revision, or put it in another channel.',
  },
  'precursor-mismatch': {
    meaning: 'The release can only be installed over versions that this device does not run.',
    remedy: 'Install one of the versions that the release requires first.',
  },
  'already-installed': { meaning: 'The device runs the release at the head of its channel.', remedy: 'Nothing to do.' },
  'outside-rollout': {
    meaning: "The rollout has not reached this device's share of the fleet yet.",
    remedy: 'Nothing to do: the device asks again later.',
  },
  'rebuilders-missing': {
    meaning:
      'This device wants more independent rebuilders to vouch for the release than have done so until now (`rebuilders` in agent.json).',
    remedy: 'Nothing to do: the device asks again later. The vendor sees with `firmproof rebuild list` who has.',
  },
  'evidence-malformed': {
    meaning: 'The evidence does not have the form of docs/spec/device.md, or is too large.',
    remedy: 'Check the server address; try another server.',
  },
  unavailable: {
    meaning:
      'No server or source could be reached, or none has what was asked for. This says nothing about the release.',
    remedy: 'Check the network and the addresses; the device tries again later.',
  },
  'image-digest-mismatch': {
    meaning: 'The downloaded bytes do not hash to the image digest that the chain has recorded.',
    remedy: 'A source serves damaged or hostile bytes. Nothing was installed; try another source.',
  },
  'image-size-mismatch': {
    meaning: 'The download does not have exactly the size that the vendor signed.',
    remedy: 'A source serves damaged or hostile bytes. Nothing was installed; try another source.',
  },
  'block-digest-mismatch': {
    meaning: 'A source answered with a block whose bytes do not hash to its CID.',
    remedy: 'The source is damaged or hostile. Nothing was installed; the next source is tried.',
  },
  'download-too-slow': {
    meaning: 'A source delivered less than the minimum rate.',
    remedy: 'Check the network; the device resumes from the next source.',
  },
  'redirect-refused': {
    meaning:
      'A source leads to an address that the device does not ask: a private one that is not in its own files, one out of TLS, one without HTTP, or on and on.',
    remedy: 'The next source is tried. Have the source answer itself, or lead to a public https address.',
  },
  'certificate-invalid': {
    meaning:
      "A source's TLS certificate is not valid, or the device's wall clock is wrong. It is noted and the check goes on: what is installed is proved without TLS.",
    remedy: 'Renew the certificate, or set the clock. Whoever listens can see what the device asks for until then.',
  },
  'slot-readback-mismatch': {
    meaning: 'What was read back from the slot is not what was written: the storage is failing or somebody changes it.',
    remedy: 'Check the storage of the device. The running image is untouched.',
  },
  'health-check-failed': {
    meaning: 'The new image did not become healthy in time and was rolled back.',
    remedy: 'The version is not tried again here until the vendor promotes again. See the journal for the reason.',
  },
  'version-failed-here': {
    meaning:
      'This release was installed here before and rolled back; it is not retried until the vendor promotes again.',
    remedy: 'Promote a corrected release.',
  },
  'update-on-trial': {
    meaning: 'The proven release is installed here and on trial: it is not confirmed yet.',
    remedy: 'Wait for the end of the trial, or end it: see `firmproof-agent status`.',
  },
  'update-held': {
    meaning: 'Somebody has told this device to hold its updates. A proven update waits.',
    remedy: 'Run `firmproof-agent hold --release`, or wait for the end of the hold where it has one.',
  },
  'update-postponed': {
    meaning: 'Somebody has postponed the updates of this device. A proven update waits until then.',
    remedy: 'Wait, or run `firmproof-agent install --now`.',
  },
  'outside-maintenance-window': {
    meaning: 'A proven update waits for the next maintenance window of this device.',
    remedy: 'Wait for it, run `firmproof-agent install --now`, or change `maintenance` in agent.json.',
  },
  'connection-metered': {
    meaning: 'The network connection is metered, so no image is downloaded. A proven update waits.',
    remedy: 'Use another connection, or run `firmproof-agent install --now`; see `metered` in agent.json.',
  },
  'update-not-automatic': {
    meaning: 'The configuration of this device leaves updates of this kind to people. A proven update waits.',
    remedy: 'Run `firmproof-agent install --now`, or change `updates` in agent.json.',
  },
  'postpone-too-long': {
    meaning: 'An update cannot be postponed for so long on this device; postponements of one update add up.',
    remedy: 'Postpone for less, or see `maximumPostponeHours` in agent.json; `firmproof-agent hold` has no limit.',
  },
  'identity-in-image': {
    meaning: 'The data directory is on a read-only file system: key and id of a device must never be part of an image.',
    remedy:
      'Set `dataDirectory` in agent.json to a directory on the writable data partition, and take the keys out of the image.',
  },
  'identity-cloned': {
    meaning: 'The key of this device was made on another machine: two devices would be one.',
    remedy: 'Run `firmproof-agent identity reset --new-owner` on the copy, and make images without the data directory.',
  },
  'data-unreadable': {
    meaning:
      'A file of the agent is there and cannot be read: it belongs to another user, or the storage fails. It may hold the rollback floor or a hold, so nothing is done without it, and nothing was changed.',
    remedy: "Give it to the agent's user (`chown`), or run this as that user; where the storage fails, repair that.",
  },
  'data-of-another-user': {
    meaning:
      'The data directory belongs to another user. What this one wrote there, root too, the agent could not read afterwards.',
    remedy: 'Run it as the owner: `runuser -u firmproof -- firmproof-agent …`, or give that user the directory.',
  },
  'enrolment-refused': {
    meaning: 'The server does not enrol this device.',
    remedy: 'Read the message; ask the vendor for a claim token, or to import or accept the device.',
  },
  'journal-corrupt': {
    meaning: "The agent's journal is damaged.",
    remedy: 'It is set aside beside the journal; the agent goes on from the previous entry. Check the storage.',
  },
  'device-storage-full': {
    meaning: 'The device has no room for the image in the idle slot, or for its journal.',
    remedy: 'Free space, or give the slots more room. The running image is untouched; what was downloaded is kept.',
  },
  'install-in-progress': {
    meaning: 'Another agent process is at work on this data directory.',
    remedy: 'Wait for it, or stop it.',
  },
  'running-slot-unknown': {
    meaning: 'The device does not say which of its two slots it runs, or names one that it does not have.',
    remedy:
      'Check `running` in agent.json against what the boot loader passes on. Nothing is written until it is known.',
  },
  'slot-unusable': {
    meaning: 'The device of a slot is missing, mounted, in use, or cannot be read or written.',
    remedy: 'Check `slots` in agent.json, and that nothing has mounted the idle slot. The running image is untouched.',
  },
  'slot-too-small': {
    meaning: 'The image is larger than the device of the idle slot.',
    remedy: 'Publish a smaller image for this hardware. The running image is untouched.',
  },
  'boot-environment-failed': {
    meaning: 'The variables of the boot loader could not be read or written, or are not what was written.',
    remedy: 'Run the command that the message names by hand; check the file that it reads and the rights of the agent.',
  },
  'handover-mismatch': {
    meaning:
      'The staged image was changed between its verification and the end of its hand-over to the program that installs it.',
    remedy: 'Somebody or something writes to the staging directory: find out who. The image is not activated.',
  },
  'installer-failed': {
    meaning: 'The program that installs the image refused it or failed; the message has the end of what it wrote.',
    remedy: 'Correct what it complains about. The version is tried again here when the vendor promotes again.',
  },
  'installer-not-started': {
    meaning: 'The program that installs the image could not be started. Nothing was written by it.',
    remedy: 'Correct the command in agent.json, or put the program there; the version is tried again by itself.',
  },
  'installer-timed-out': {
    meaning: 'The program that installs the image did not end in its time and was killed.',
    remedy: 'Find out what holds it up, or raise its timeoutSeconds in agent.json.',
  },
  'hook-failed': {
    meaning: 'A hook refused the installation, failed or could not run; the message has the end of what it wrote.',
    remedy: 'Correct what it complains about, or the hook itself.',
  },
  'hook-timed-out': {
    meaning: 'A hook did not end in its time; it was killed with all that it had started.',
    remedy: 'Find out what holds it up, or raise its timeoutSeconds in agent.json.',
  },
  'rollback-unavailable': {
    meaning: 'The image has to be rolled back, but there is none before it, and no command to go back.',
    remedy: 'Give the installer a rollBack command in agent.json.',
  },
  'rollback-failed': {
    meaning:
      'A new image has to go, and making the one before run again failed, too. Until that works the device may hold a part of an image, and takes no other.',
    remedy:
      'Correct what the message says last; then run `firmproof-agent install`, or leave it to `run`: both try the way back again. If it cannot work, install an image by hand.',
  },
  'trial-expired': {
    meaning: 'The new image was not confirmed before its deadline. It was rolled back.',
    remedy: 'See why nobody confirmed it, then promote again.',
  },
  'trial-restarts': {
    meaning: 'The new image was booted again and again without being confirmed. It was rolled back.',
    remedy: 'See why it restarts, then promote again; `health.maximumBoots` in agent.json is how often it may.',
  },
  'boot-fell-back': {
    meaning: 'The boot loader gave the new image up and started the one before. It was rolled back.',
    remedy: 'See why the new image does not start, then promote again.',
  },
  'reboot-failed': {
    meaning: 'The command that reboots the device failed.',
    remedy: 'Check `reboot` in agent.json; any other reboot starts the new image as well.',
  },
  'nothing-to-confirm': { meaning: 'No image that runs is on trial.', remedy: 'Confirm only after an installation.' },
} as const satisfies Record<string, Explanation>;

/** Malformed values, files and configuration. */
const inputCodes = {
  'node-too-old': {
    meaning: 'This Node is older than what the agent needs: it would ignore proxies, and more, without a word.',
    remedy: 'Install Node 24 or newer, and have the service and your shell run that one.',
  },
  'sbom-malformed': {
    meaning:
      'The software bill of materials is neither CycloneDX nor SPDX in JSON, or is not what those formats ask for.',
    remedy: 'Give CycloneDX 1.2 to 1.7, SPDX 2.2 or 2.3, or SPDX 3.0 as JSON-LD; the message names the place.',
  },
  'provenance-malformed': {
    meaning:
      'The provenance is no in-toto statement with SLSA provenance, neither bare nor in a DSSE envelope or Sigstore bundle.',
    remedy: 'Give SLSA provenance v1 or v0.2, as the build system wrote it; the message names the place.',
  },
  'provenance-subject': {
    meaning: 'The provenance is about other files than this image: none of its subjects has the sha-256 of the image.',
    remedy: 'Give the provenance of the build that made exactly this image.',
  },
  'vex-malformed': {
    meaning:
      'The VEX document is neither OpenVEX nor CycloneDX with vulnerabilities, or is not what those formats ask for.',
    remedy: 'Give OpenVEX v0.2.0 or CycloneDX 1.4 or later, as JSON; the message names the place.',
  },
  'notes-malformed': {
    meaning: 'The file with the release notes is no UTF-8 text.',
    remedy: 'Give plain text or Markdown, in UTF-8.',
  },
  'document-too-large': {
    meaning: 'A document about a release has more than 32 MiB.',
    remedy: 'Leave out what nobody reads, or split the document.',
  },
  'document-empty': { meaning: 'A document about a release has no bytes.', remedy: 'Check the file.' },
  'vulnerability-invalid': {
    meaning: 'The id of a vulnerability is no CVE id.',
    remedy: 'Write them as CVE-2026-12345, separated by commas; at most 256.',
  },
  'signer-invalid': {
    meaning: 'A signer is wallet:0x…, p256:<x and y> or passkey:<x and y>, its point on the curve.',
    remedy: 'Copy it from `firmproof signer show` or from the enrolment page.',
  },
  'passkey-unavailable': {
    meaning: 'Passkeys cannot be used in this browser, or not at this address of the approval pages.',
    remedy: 'Open the pages over https under a domain, or at http://localhost, in a current browser.',
  },
  'passkey-refused': {
    meaning: 'No passkey has signed: the request was cancelled, took too long, or no passkey here fits.',
    remedy: 'Try again; use the device that the passkey was made on.',
  },
  'passkey-unsuitable': {
    meaning: 'The authenticator does not make P-256 keys, the only kind of passkey that the contract checks.',
    remedy: 'Use another authenticator.',
  },
  'digest-invalid': { meaning: 'A SHA-256 digest is 64 lower-case hexadecimal digits.', remedy: 'Correct the digest.' },
  'bytes32-invalid': {
    meaning: 'A 32-byte value is 0x and 64 lower-case hexadecimal digits.',
    remedy: 'Correct the value.',
  },
  'address-invalid': {
    meaning: 'An address is 0x and 40 hexadecimal digits.',
    remedy: 'Give all 42 characters of it.',
  },
  'cid-invalid': {
    meaning: 'The CID is not a CIDv1 with codec raw or dag-pb and hash sha2-256.',
    remedy: 'Use the CID that the release names.',
  },
  'version-invalid': {
    meaning: 'A version is strict semver (1.2.3 or 1.2.3-rc.1) without build metadata, at most 31 ASCII characters.',
    remedy: 'Give three numbers, as 1.0.0, or with a suffix, as 1.0.0-rc.1.',
  },
  'name-invalid': {
    meaning: 'A product or channel name is 1 to 31 of a-z, 0-9, with single - or . between them.',
    remedy: 'Use 1 to 31 of a-z and 0-9, with single - or . between them, as prime-hub.',
  },
  'key-invalid': {
    meaning:
      'The key is not of the kind that is needed: a P-256 or Ed25519 public key in SPKI form, or the private key of a wallet (0x and 64 digits).',
    remedy: 'Check the file or the value that the message names.',
  },
  'cosignature-malformed': {
    meaning: 'The answer of a witness does not have the form of docs/spec/device.md.',
    remedy: 'Check the address of the witness.',
  },
  'config-invalid': {
    meaning: 'The configuration has mistakes; all of them are listed.',
    remedy: 'Correct them and start again.',
  },
  'file-not-found': {
    meaning: 'A file that is needed does not exist or cannot be read.',
    remedy: 'Check the path and its permissions.',
  },
  'entry-malformed': {
    meaning:
      "An entry of a product's history is none that the registry could have logged, or contradicts the entries before it.",
    remedy: 'Whoever gave the entry is damaged or lies. Read the history from somebody else.',
  },
  'history-incomplete': {
    meaning: 'An entry of the history is missing or comes twice; the message names the first.',
    remedy: 'Whoever gave the entries leaves something out. Read the history from somebody else.',
  },
  'product-proof-malformed': {
    meaning: 'The proof of a product does not have the form of docs/spec/audit.md, or is too large.',
    remedy: 'Check the server address; try another server.',
  },
  'transaction-mismatch': {
    meaning:
      'The transaction that was given for an entry is another one, or asks for something else than the entry says.',
    remedy: 'Whoever gave the transaction is damaged or lies. Read it from somebody else.',
  },
  'nodes-disagree': {
    meaning:
      'RPC nodes show different blocks as final, and no quorum of them shows the same one. Somebody lies, or the chain has split.',
    remedy: 'Find out which node is wrong; do not take the word of any of them until then.',
  },
  'audit-busy': {
    meaning: 'Another audit of the same product works in the same directory.',
    remedy: 'Wait for it to end, or give this one a directory of its own with --state.',
  },
  'audit-file-malformed': {
    meaning: 'The file is no audit export of docs/spec/audit.md, or it was damaged or cut off.',
    remedy: 'Copy the file again and compare its sha-256, or export it again with `firmproof audit --export`.',
  },
  'usage-invalid': { meaning: 'The command line is not understood.', remedy: 'See --help.' },
  'request-invalid': { meaning: 'The request does not fit the API description.', remedy: 'See /openapi.json.' },
} as const satisfies Record<string, Explanation>;

/** What server, contract and command line can answer. */
const serviceCodes = {
  'image-too-large': {
    meaning: 'The image is larger than this server accepts.',
    remedy: 'Ask the operator for a higher limit.',
  },
  'image-empty': { meaning: 'The image has no bytes.', remedy: 'Check the path of the image.' },
  'upload-truncated': {
    meaning: 'The upload ended before its end was announced.',
    remedy: 'Send it again: nothing was kept.',
  },
  'upload-aborted': { meaning: 'The client went away during the upload.', remedy: 'Send it again: nothing was kept.' },
  'upload-timeout': { meaning: 'The upload made too little progress.', remedy: 'Check the network and send it again.' },
  'upload-malformed': {
    meaning: 'The upload is no well-formed multipart/form-data.',
    remedy: 'Use the firmproof command or SDK.',
  },
  'upload-part-missing': {
    meaning: 'A part of the upload is missing or comes in the wrong order.',
    remedy: 'Send the parts attestation and approval first, then image.',
  },
  'upload-part-unexpected': {
    meaning: 'The upload has an unknown, repeated or oversized part.',
    remedy: 'Send exactly one each of attestation, approval and image.',
  },
  'storage-full': {
    meaning: "The server's disk is full.",
    remedy: 'Free space or ask the operator; then send it again.',
  },
  'block-not-found': { meaning: 'This block is not here.', remedy: 'Try another gateway.' },
  'gateway-format-unsupported': {
    meaning: 'The gateway serves application/vnd.ipld.raw, application/vnd.ipld.car and plain bytes only.',
    remedy: 'Correct the Accept header or the format parameter.',
  },
  'range-not-satisfiable': {
    meaning: 'The requested range lies outside the content.',
    remedy: 'Correct the Range header.',
  },
  'length-mismatch': {
    meaning: 'The length of the content differs from what was announced.',
    remedy: 'Send it again.',
  },
  'message-unsigned': {
    meaning: 'A message of a device carries no signature, or one that does not cover what it has to.',
    remedy: 'Sign exactly what docs/spec/receipts.md (S1) says.',
  },
  'message-digest-mismatch': {
    meaning: 'The body of a message is not the one that its signature covers.',
    remedy: 'Send it again, without anything on the way that changes it.',
  },
  'message-signature-invalid': {
    meaning: 'The signature of a message is not by the key that it names, or is for another purpose.',
    remedy: 'Sign with the key of the device, with the tag of this kind of message.',
  },
  'message-expired': {
    meaning: 'A message was signed too long ago, or in the future.',
    remedy: 'Check for updates first, which tells the device the time; then send it again.',
  },
  'receipt-malformed': {
    meaning: 'A receipt does not follow its schema, or is about another product or device than its key.',
    remedy: 'See Receipt in /openapi.json.',
  },
  'receipt-replayed': {
    meaning: 'A receipt with a lower counter than those that are kept of this device.',
    remedy: 'Nothing: later receipts of the device count.',
  },
  'clone-suspected': {
    meaning:
      'Two different receipts of one device have one counter, or counters in the wrong order: two devices have its key.',
    remedy: 'See `firmproof device show`. Reset the identity of the real one, enrol that, and revoke the old key.',
  },
  'split-view': {
    meaning: 'A device was shown a block, or a history of the product, that the chain of this server does not have.',
    remedy:
      'Compare with a third source (`firmproof audit`): either this server or the witnesses of the device are lied to.',
  },
  'enrolment-malformed': {
    meaning:
      'The request of a device to be enrolled does not follow its schema, or is signed by another key than it names.',
    remedy: 'See Enrolment in /openapi.json.',
  },
  'claim-token-invalid': {
    meaning: 'The claim token is unknown, used up, expired or revoked.',
    remedy: 'Make another with `firmproof device claim-token`, or enrol without one and be accepted.',
  },
  'device-not-enrolled': {
    meaning: 'No enrolled device of this product has this key.',
    remedy: 'Enrol it with `firmproof-agent identity enrol`; then `firmproof device accept`.',
  },
  'device-not-found': {
    meaning: 'The product has no such device, or several that wait under this id.',
    remedy: 'See `firmproof device list`; name it by the digest of its key.',
  },
  'device-exists': {
    meaning: 'Another key is enrolled under this device id, or this key under another id.',
    remedy: 'Reset the identity of the device, which gives it a new id and a new key.',
  },
  'factory-list-malformed': {
    meaning: "A factory's list of devices has lines that cannot be taken. Nothing of it was imported.",
    remedy: 'Correct the lines that the message names, and import it again. See docs/enrolment.md.',
  },
  'quota-exceeded': {
    meaning: 'The upload quota of this publisher is used up for now.',
    remedy: 'Wait, or ask the operator.',
  },
  'authentication-required': { meaning: 'The request needs an API token.', remedy: 'Run `firmproof login`.' },
  'token-invalid': { meaning: 'The API token is unknown, expired or revoked.', remedy: 'Run `firmproof login` again.' },
  'token-scope': {
    meaning: 'The API token does not cover this: it is for another publisher or product, or lacks the role.',
    remedy: 'Log in as the right publisher, or make a token with the role that is named (docs/tokens.md).',
  },
  'token-not-found': {
    meaning: 'The publisher has no living token with this id.',
    remedy: 'See `firmproof token list`.',
  },
  'server-log-rewritten': {
    meaning: 'The log of the server has been shortened or changed since it was seen, or does not hold together.',
    remedy:
      'Keep what you have and ask the operator. A database that was put back from a copy looks like this too; then accept the new log with `firmproof server-log --accept-rewritten`.',
  },
  'webhook-not-found': {
    meaning: 'The publisher has no such webhook, or the webhook no such delivery.',
    remedy: 'See `firmproof webhook list` and `firmproof webhook deliveries`.',
  },
  'webhook-address-forbidden': {
    meaning: 'A webhook leads to an address that this server does not call: a private one, or one without TLS.',
    remedy: 'Give an https address that anybody can reach, or ask the operator for FIRMPROOF_WEBHOOK_PRIVATE_HOSTS.',
  },
  'login-invalid': {
    meaning: 'The login is not signed by the publisher or one of its signers, or has expired.',
    remedy: 'Log in again; check the clock.',
  },
  'oidc-token-invalid': {
    meaning: 'The ID token is malformed, expired, for another audience, or not signed by its issuer.',
    remedy: "Get a fresh ID token whose only audience is the server's origin.",
  },
  'oidc-issuer-unknown': {
    meaning: 'The server does not accept ID tokens of this issuer.',
    remedy: 'Ask the operator to add the issuer to FIRMPROOF_OIDC_ISSUERS.',
  },
  'oidc-identity-unknown': {
    meaning: 'The trust root of the product names no such identity of this issuer, letter by letter.',
    remedy: 'Log in from the workflow that the trust root names, or name this identity in a new trust root.',
  },
  'oidc-issuer-unreachable': {
    meaning: 'The keys of the issuer cannot be fetched, so no ID token of it can be verified now.',
    remedy: 'Try again; the operator may name the address of the keys in FIRMPROOF_OIDC_ISSUERS.',
  },
  'ci-identity-missing': {
    meaning: 'No OpenID Connect identity is here to sign or log in with.',
    remedy:
      'Run it in CI with an identity (GitHub Actions: `permissions: id-token: write`), or set SIGSTORE_ID_TOKEN and FIRMPROOF_ID_TOKEN.',
  },
  'sigstore-unavailable': {
    meaning: 'Fulcio, Rekor or the timestamp authority does not answer, or refuses.',
    remedy: 'Read the message; check --fulcio-url, --rekor-url, --timestamp-url and the audience, then try again.',
  },
  'approval-malformed': {
    meaning: 'The approval does not have the form of docs/spec/release.md.',
    remedy: 'Use the firmproof command or SDK.',
  },
  'approval-invalid': {
    meaning: "The approval is not the publisher's signature over exactly this request on this chain and registry.",
    remedy: 'Approve again; check chain, registry, product, version and key.',
  },
  'approval-expired': {
    meaning: 'The deadline of the approval has passed.',
    remedy: 'Approve again with a later deadline.',
  },
  'approval-epoch': {
    meaning: "The approval was made before the product's configuration changed.",
    remedy: 'Approve again with the current epoch.',
  },
  'approval-counter': {
    meaning: 'The approval is for another state of the channel: it has moved meanwhile.',
    remedy: 'Look at the channel and approve again.',
  },
  'signer-command-failed': {
    meaning: 'The program or wallet that holds the approval key has not signed.',
    remedy: 'Run it by hand to see why; `firmproof signer use` sets it up anew.',
  },
  'signer-unreachable': {
    meaning: 'The wallet that holds the approval key does not answer at its address.',
    remedy: 'Start the wallet, or name its address anew with `firmproof signer use --wallet`.',
  },
  'signer-unknown': {
    meaning: 'This key is not among the signers that have to approve.',
    remedy: 'See `firmproof team show`; approve with a key of the team.',
  },
  'signers-invalid': {
    meaning: 'This set of signers could never approve anything, or holds one key twice.',
    remedy: 'Correct signers and threshold; one of them must not be a passkey.',
  },
  'rejected-by-signers': {
    meaning: 'So many signers have rejected the proposal that it cannot be approved any more.',
    remedy: 'Read their reasons with `firmproof proposal show`; propose something better.',
  },
  'approvals-missing': {
    meaning: 'Too few signers of the account have approved the proposal yet.',
    remedy: 'Let the others approve: `firmproof approve`, or the approval page.',
  },
  'held-back': {
    meaning: 'All approvals are here; the proposal is relayed only when somebody asks for it.',
    remedy: 'Run `firmproof fall-back` when the way back is needed.',
  },
  'browser-alone': {
    meaning: 'All approvals so far come from passkeys; one has to be made outside a browser.',
    remedy: 'Let somebody with a wallet or a P-256 key run `firmproof approve`.',
  },
  'not-approved': {
    meaning: 'You have answered no: nothing was signed.',
    remedy: 'Run `firmproof reject` to tell the others why.',
  },
  'file-differs': {
    meaning: 'A file that would be written is there already, and says something else.',
    remedy: 'Choose another directory or move the file away; `firmproof product trust` replaces it with --overwrite.',
  },
  'rebuild-malformed': {
    meaning:
      'What was signed is no statement that a release was rebuilt, as docs/spec/rebuilds-and-advisories.md has it.',
    remedy: 'Make it with `firmproof rebuild attest`.',
  },
  'rebuild-mismatch': {
    meaning: 'The rebuild is about another product, version or image than the release that it was sent for.',
    remedy: 'Rebuild the very version, and compare what comes out with the image that the chain records.',
  },
  'rebuilder-unknown': {
    meaning:
      'The rebuild is signed by a key that the trust root of the product does not name as a rebuilder, or that is a build key.',
    remedy: 'The vendor names rebuilders with `firmproof trust-root rotate --add-rebuilder NAME=FILE`.',
  },
  'rebuild-differs': {
    meaning: 'The image that was rebuilt is not the one that the release is about.',
    remedy:
      'Compare the two files, for instance with diffoscope; time stamps, paths and compiler versions are the usual causes.',
  },
  'advisory-malformed': {
    meaning: 'What was signed is no advisory, as docs/spec/rebuilds-and-advisories.md has it.',
    remedy: 'Make it with `firmproof advisory publish`.',
  },
  'advisory-not-found': {
    meaning: 'No such advisory.',
    remedy: 'See `firmproof advisory list`.',
  },
  'advisory-revision-old': {
    meaning: 'The server has this revision of the advisory, or a newer one, and it says something else.',
    remedy: 'Publish it again: `firmproof advisory publish` takes the next revision.',
  },
  'relay-file-malformed': {
    meaning: 'The file is no exported proposal.',
    remedy: 'Make it with `firmproof proposal export`.',
  },
  'proposal-closed': {
    meaning: 'The proposal is finished: nobody can approve or reject it any more.',
    remedy: 'See `firmproof proposal show`; propose again if it is still wanted.',
  },
  'account-not-found': {
    meaning: 'There is no vendor account at this address.',
    remedy: 'Check the address; make the account with `firmproof setup --team`.',
  },
  'recovery-pending': {
    meaning: 'The recovery of the account is not in the state that this needs.',
    remedy: 'See `firmproof team show`.',
  },
  'publisher-unsuitable': {
    meaning: 'A single wallet may publish on development chains only.',
    remedy: 'Run `firmproof setup --team 2-of-3`, so that no single key can publish.',
  },
  'product-not-found': {
    meaning: 'No such product is registered.',
    remedy: 'Check the product; register it with `firmproof product create`.',
  },
  'product-exists': {
    meaning: 'This publisher has already registered this name.',
    remedy: 'Use the existing product.',
  },
  'release-not-head': {
    meaning: 'The release is not the head of the channel, and devices install nothing else.',
    remedy: 'Promote it, name the channel whose head it is, or export the head.',
  },
  'release-not-found': { meaning: 'No such release.', remedy: 'Check the version; see `firmproof status`.' },
  'release-revoked': {
    meaning: 'The release is revoked already, and that is for ever.',
    remedy: 'Nothing is left to revoke; promote another release.',
  },
  'version-exists': {
    meaning: 'This version is recorded already, and a version is recorded once, forever.',
    remedy: 'Publish under a new version.',
  },
  'channel-stopped': {
    meaning: 'The server has been told to offer this channel to nobody.',
    remedy: 'See `firmproof status`; `firmproof resume` offers it again.',
  },
  'already-halted': {
    meaning: 'The channel is halted already, until the next promotion.',
    remedy: 'Nothing is left to halt; `firmproof promote` sets it going again.',
  },
  'channel-not-found': { meaning: 'This channel has no head.', remedy: 'Promote a release to it first.' },
  'proposal-not-found': { meaning: 'No such proposal.', remedy: 'Check the id.' },
  'rollback-index-too-high': {
    meaning: 'The rollback index may rise by one at most over the highest so far.',
    remedy: 'Use the highest so far plus one, or less.',
  },
  'delay-too-long': { meaning: 'A delay is at most 30 days.', remedy: 'Choose a shorter delay.' },
  'too-late-to-stop': {
    meaning: 'The guardian revokes a release only inside its veto window, and vetoes no change of the guardian alone.',
    remedy: 'Halt the channel, which a guardian may do at any time; the publisher can revoke.',
  },
  'guardian-missing': {
    meaning: 'The product has no guardian, and only a guardian can do this.',
    remedy:
      'Name one with `firmproof product configure --guardian`; the publisher itself stops with `halt` and `revoke`.',
  },
  'nothing-scheduled': {
    meaning: 'No change of the product is scheduled.',
    remedy: 'Schedule one with `firmproof product configure` or `firmproof trust-root rotate`.',
  },
  'configuration-pending': {
    meaning: 'The scheduled configuration does not fit this request.',
    remedy: 'See `firmproof product show`.',
  },
  'transaction-reverted': {
    meaning: 'The registry refuses this transaction.',
    remedy: 'See the reason in the message.',
  },
  'evidence-not-ready': {
    meaning: 'No block with a proof and enough witnesses is final yet.',
    remedy: 'Try again in a moment; check witnesses and chain when it lasts.',
  },
  'chain-unreachable': {
    meaning: 'The RPC node of the chain does not answer.',
    remedy: 'Check the address and the node. A server, witness or monitor tries again by itself, a command does not.',
  },
  'chain-unsuitable': {
    meaning: 'The RPC node lacks something that Firmproof needs.',
    remedy: 'See `firmproof chain check`.',
  },
  'chain-incomplete': {
    meaning: 'The events of the registry do not replay to the history hash in its storage.',
    remedy: 'Ask another RPC node.',
  },
  'device-list-malformed': {
    meaning: 'The list of devices to anchor is malformed, empty, too long or names a device twice.',
    remedy: 'One device a line after the header device,keyDigest,salt: a UUID, 64 hexadecimal digits, 0x and 64 more.',
  },
  'document-missing': {
    meaning:
      'The server does not have a document about this release, or does not give it to you: before the release is installable only its publisher gets it.',
    remedy:
      'Look with `firmproof release show` what the release names. `firmproof publish` sends documents first; a server that has lost one needs it again.',
  },
  'document-mismatch': {
    meaning:
      'The statement says another size or CID of a document than the server has received, or its SBOM is none of its documents.',
    remedy: 'Publish again with `firmproof publish`, which computes both from the same file.',
  },
  'document-digest-mismatch': {
    meaning: 'The document that the server gives is not the one that was signed: size or sha-256 differ.',
    remedy: 'Do not use it. Ask another server, or fetch it by its CID from any IPFS gateway.',
  },
  'device-list-missing': {
    meaning: 'The server does not have the list of the devices that this is about.',
    remedy: 'Anchor them with `firmproof device anchor`, which sends the list first.',
  },
  'devices-anchored': {
    meaning: 'Exactly these devices are anchored already.',
    remedy: 'Nothing to do.',
  },
  'device-revoked': {
    meaning: 'The device is revoked, on chain or by this server. Nothing that its key signs is taken any more.',
    remedy: 'Give the device a new identity with `firmproof-agent identity reset --new-owner`, and enrol that.',
  },
  'device-anchor-missing': {
    meaning: 'The contract that keeps devices is not on this chain.',
    remedy: 'Put it there with `firmproof chain deploy`; the registry that this deploys too need not be used.',
  },
  'deployment-proxy-missing': {
    meaning:
      'The deterministic deployment proxy is not on this chain. Vendor accounts have the same address on every chain because of it.',
    remedy: 'Deploy the proxy with its well-known transaction, which anybody may send, or choose another chain.',
  },
  'deployer-out-of-gas': {
    meaning: 'The key that deploys cannot pay for the transactions.',
    remedy: 'Fund its address on that chain and run the command again; what is there already is not deployed again.',
  },
  'relayer-out-of-gas': {
    meaning: 'The relayer cannot pay for the transaction. It waits.',
    remedy: 'Fund the relayer; nothing has to be sent again.',
  },
  'witness-refused': { meaning: 'The witness does not vouch for this block.', remedy: 'Ask for a final block.' },
  'port-in-use': { meaning: 'The port is taken by another program.', remedy: 'Stop it or choose another port.' },
  'data-directory-in-use': {
    meaning: 'Another server works on this data directory.',
    remedy: 'Stop it or choose another directory.',
  },
  'database-damaged': {
    meaning: "The server's database cannot be opened.",
    remedy:
      'Put back a copy of firmproof.sqlite. What the chain has recorded is indexed again; images need their blocks.',
  },
  'server-unreachable': { meaning: 'The server does not answer.', remedy: 'Check the address and the network.' },
  'server-lied': {
    meaning: 'The server says something else than what was computed here.',
    remedy: 'Do not trust this server; tell its operator.',
  },
  'passphrase-wrong': {
    meaning: 'The passphrase does not open the key.',
    remedy: 'Try again; see FIRMPROOF_PASSPHRASE.',
  },
  'key-not-found': {
    meaning: 'A key that is needed is not in the key directory.',
    remedy: 'Run `firmproof setup` or `firmproof signer new`, or see --home.',
  },
  'setup-exists': { meaning: 'This directory is set up already.', remedy: 'Use it, or choose another with --home.' },
  'not-found': { meaning: 'No such page.', remedy: 'See /openapi.json.' },
  internal: { meaning: 'A mistake in Firmproof itself.', remedy: 'Report it with the lines before it.' },
} as const satisfies Record<string, Explanation>;

/** `firmproof monitor` (docs/monitor.md). */
const monitorCodes = {
  'monitor-running': {
    meaning: 'Another monitor works with the same state: two would tell everything twice.',
    remedy: 'End the other one, or give each a state directory of its own.',
  },
  'monitor-state-damaged': {
    meaning: 'The state of the monitor cannot be read or written, or is of a newer version.',
    remedy:
      'Look whether the disk is full. Put back a copy of the state directory, or move it away: a monitor without one takes what is there now as known and tells what happens from then on.',
  },
  'announcements-unreadable': {
    meaning: 'The file of announced releases cannot be read, or has a line that is no announcement.',
    remedy: 'A line is `<version>` or `<version> <sha-256 of the image>`; what follows `#` is a comment.',
  },
} as const satisfies Record<string, Explanation>;

/** Webhooks, sent and received. */
const webhookCodes = {
  'webhook-secret-invalid': {
    meaning: 'The secret of a webhook has not the form that both sides need.',
    remedy: 'A secret is `whsec_` and the base64 of 24 to 64 random bytes.',
  },
  'webhook-malformed': {
    meaning:
      'A webhook lacks one of its headers webhook-id, webhook-timestamp and webhook-signature, or it has no such form.',
    remedy: 'Refuse it: whoever sent it is not Firmproof, or something between has changed its headers.',
  },
  'webhook-expired': {
    meaning: 'A webhook was signed more than five minutes before or after now.',
    remedy: 'Refuse it: it may be repeated by somebody who saw it. If all are refused, set the clock of the receiver.',
  },
  'webhook-signature-invalid': {
    meaning: 'The signature of a webhook does not fit any secret that the receiver knows.',
    remedy: 'Refuse it. Compare the secrets of both sides, and sign over the body as it came, before any parsing.',
  },
} as const satisfies Record<string, Explanation>;

export type DeviceCode = keyof typeof deviceCodes;
export type ErrorCode =
  | DeviceCode
  | keyof typeof inputCodes
  | keyof typeof serviceCodes
  | keyof typeof webhookCodes
  | keyof typeof monitorCodes;

/** Every code with its meaning and what to do. */
export const errorCatalogue: Readonly<Record<ErrorCode, Explanation>> = {
  ...deviceCodes,
  ...inputCodes,
  ...serviceCodes,
  ...webhookCodes,
  ...monitorCodes,
};

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCatalogue, text);
}

export function isDeviceCode(code: ErrorCode): code is DeviceCode {
  return Object.hasOwn(deviceCodes, code);
}
