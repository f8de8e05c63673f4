/* The checks D1 to D11 of docs/spec/device.md in C99 without a library, for devices that cannot run the agent.
   cc -std=c99 -O2 -o verify verify.c && ./verify trust-root.json evidence.json device.json
   Prints `update VERSION IMAGE` and exits with 0, or the code that refuses and exits with 1. With a fourth argument each step's
   result is printed before (docs/spec/vectors/steps.json).
   Left out: walking to a newer trust root (D9, D15), which is `trust-root-mismatch` here; keyless attestations; semver. */
#include <stdio.h>
#include "numbers.h"
#include "text.h"

enum { maximum_evidence = 4 << 20, maximum_node = 64 << 10, maximum_nodes = 64, maximum_proofs = 256 << 10, maximum_attestation = 1 << 20 };

static int steps;
static void show(const char *name, const uint8_t *b, size_t n) {
  if (!steps) return;
  printf("%s ", name);
  for (size_t i = 0; i < n; i++) printf("%02x", b[i]);
  puts("");
}
static void refuse(const char *code) { puts(code); exit(1); }

static char *read_file(const char *name) {
  static char *buffers[3];
  static int used;
  FILE *f = fopen(name, "rb");
  char *text = buffers[used++] = malloc(maximum_evidence + 1);
  if (!f || !text) { perror(name); exit(2); }
  size_t n = fread(text, 1, maximum_evidence + 1, f);
  if (n > maximum_evidence) refuse("evidence-malformed");
  text[n] = 0;
  fclose(f);
  return text;
}

static void word_of(uint8_t out[32], uint64_t v) { to_be(out, from_u64(v)); }
static void need_word(const char *value, uint8_t out[32]) { if (hex_of(value, out, 32) != 32) refuse("evidence-malformed"); }
static uint64_t need_number(const char *value) {
  uint64_t v;
  if (!number_of(value, &v)) refuse("evidence-malformed");
  return v;
}
/* A field of a storage word, counted from its low end in bits. */
static uint64_t field(const uint8_t word[32], int at, int width) {
  uint64_t v = 0;
  for (int i = at + width - 8; i >= at; i -= 8) v = v << 8 | word[31 - i / 8];
  return v;
}
static int is_nothing(const uint8_t *b, size_t n) { while (n--) if (*b++) return 0; return 1; }

/* Public keys are DER: 12 bytes before an Ed25519 key, 27 before the x and y of a P-256 key. */
static int signed_by(const uint8_t *key, long key_size, const uint8_t *message, size_t n, const uint8_t *signature, long signature_size) {
  static const uint8_t ed[12] = {0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0}, ec[4] = {0x30, 0x59, 0x30, 0x13};
  uint8_t hash[32];
  if (key_size == 44 && memcmp(key, ed, 12) == 0) return signature_size == 64 && ed25519_verify(key + 12, message, n, signature);
  if (key_size != 91 || memcmp(key, ec, 4) != 0 || key[26] != 4) return 0;
  sha256(hash, message, n);
  return p256_verify(key + 27, hash, signature, (size_t)signature_size);
}

/* DSSE: the bytes that are signed. */
static uint8_t signed_bytes[maximum_attestation + 256];
static size_t pre_authentication(const char *type, const uint8_t *payload, size_t n) {
  int head = sprintf((char *)signed_bytes, "DSSEv1 %zu %s %zu ", strlen(type), type, n);
  memcpy(signed_bytes + head, payload, n);
  return (size_t)head + n;
}
/* The keys of an array that have signed what pre_authentication made. `known` counts signatures that name one of the keys. */
static unsigned signers(const char *signatures, const char *keys, size_t n, unsigned *known) {
  unsigned valid = 0;
  uint8_t key[100], id[32], named[40], signature[100];
  for (const char *k = next_element(keys, 0); k; k = next_element(keys, k)) {
    long key_size = base64_of(k, key, sizeof key);
    if (key_size < 0) continue;
    sha256(id, key, (size_t)key_size);
    for (const char *s = next_element(signatures, 0); s; s = next_element(signatures, s)) {
      if (base64_of(member(s, "keyid"), named, sizeof named) != 32 || memcmp(named, id, 32) != 0) continue;
      ++*known;
      long size = base64_of(member(s, "sig"), signature, sizeof signature);
      if (size < 0 || !signed_by(key, key_size, signed_bytes, n, signature, size)) continue;
      valid++;
      break;
    }
  }
  return valid;
}

/* One item of RLP inside [*at, end). Answers whether it is well formed; a list has is_list. */
typedef struct { const uint8_t *start, *bytes; size_t size; int is_list; } item;
static int rlp(const uint8_t **at, const uint8_t *end, item *out) {
  const uint8_t *p = *at;
  if (p >= end) return 0;
  uint8_t first = *p;
  size_t left = (size_t)(end - p) - 1, size;
  out->start = p;
  out->is_list = first >= 0xc0;
  uint8_t tag = out->is_list ? first - 0xc0 : first < 0x80 ? 0 : first - 0x80;
  if (first < 0x80) { out->bytes = p; out->size = 1; *at = p + 1; return 1; }
  p++;
  if (tag <= 55) size = tag;
  else {
    size_t length = tag - 55u;
    if (length > 3 || length > left || p[0] == 0) return 0;
    for (size = 0; length; length--, left--) size = size << 8 | *p++;
    if (size <= 55) return 0;
  }
  if (size > left || (tag == 1 && !out->is_list && p[0] < 0x80)) return 0;
  out->bytes = p;
  out->size = size;
  *at = p + size;
  return 1;
}

/* Walks a proof from a root to a key that is hashed first. 1: found, 0: proved to be absent, -1: no proof. */
static int prove(const char *proof, const uint8_t root[32], const uint8_t *key, size_t key_size, uint8_t *value, size_t room, size_t *value_size) {
  static uint8_t node[maximum_node];
  uint8_t path[32], expected[32], hash[32];
  int depth = 0;
  const char *element = 0;
  keccak256(path, key, key_size);
  memcpy(expected, root, 32);
  for (;;) {
    if (!(element = next_element(proof, element))) return -1;
    long size = hex_of(element, node, sizeof node);
    if (size < 0) return -1;
    keccak256(hash, node, (size_t)size);
    if (memcmp(hash, expected, 32) != 0) return -1;
    const uint8_t *at = node, *end = node + size;
    for (;;) { /* this node, and those that lie inside it */
      item list, parts[17], *child = 0;
      int count = 0;
      if (!rlp(&at, end, &list) || !list.is_list || at != end) return -1;
      at = list.bytes;
      end = list.bytes + list.size;
      while (at < end) if (count == 17 || !rlp(&at, end, &parts[count++])) return -1;
#define NIBBLE(b, i) ((i) % 2 ? (b)[(i) / 2] & 15 : (b)[(i) / 2] >> 4)
      if (count == 17) {
        if (depth == 64) return -1; /* every key has 32 bytes: no value lies in a branch */
        child = &parts[NIBBLE(path, depth)];
        depth++;
        if (child->size == 0 && !child->is_list) return 0;
      } else if (count == 2 && !parts[0].is_list && parts[0].size > 0) {
        int flag = parts[0].bytes[0] >> 4, odd = flag & 1, n = (int)parts[0].size * 2 - 2 + odd;
        if (flag > 3 || depth + n > 64) return -1;
        for (int i = 0; i < n; i++)
          if (NIBBLE(parts[0].bytes, i + 2 - odd) != NIBBLE(path, depth + i)) return 0;
        depth += n;
        child = &parts[1];
        if (flag & 2) {
          if (depth != 64) return -1;
          if (child->is_list || child->size > room) return -1;
          memcpy(value, child->bytes, child->size);
          *value_size = child->size;
          return 1;
        }
      } else return -1;
      if (child->is_list) { at = child->start; end = child->bytes + child->size; continue; }
      if (child->size != 32) return -1;
      memcpy(expected, child->bytes, 32);
      break;
    }
  }
}

static void prove_word(const char *evidence, const char *name, const uint8_t storage_root[32], const uint8_t slot[32], uint8_t out[32]) {
  uint8_t value[40], word[32] = {0};
  size_t size = 0;
  char path[64] = "storageProofs.";
  item content;
  int found = prove(member(evidence, strcat(path, name)), storage_root, slot, 32, value, sizeof value, &size);
  if (found < 0) refuse("storage-proof-invalid");
  if (found) {
    const uint8_t *at = value;
    if (!rlp(&at, value + size, &content) || content.is_list || content.size > 32 || at != value + size) refuse("storage-proof-invalid");
    memcpy(word + 32 - content.size, content.bytes, content.size);
  }
  show(name, word, 32);
  memcpy(out, word, 32);
}

static void map_slot(uint8_t out[32], const uint8_t key[32], const uint8_t slot[32]) {
  uint8_t both[64];
  memcpy(both, key, 32);
  memcpy(both + 32, slot, 32);
  keccak256(out, both, 64);
}
static void offset_slot(uint8_t out[32], const uint8_t slot[32], uint64_t by) {
  num sum;
  add(&sum, from_be(slot), from_u64(by));
  to_be(out, sum);
}
static void check_sizes(const char *proof, unsigned *bytes) {
  unsigned nodes = 0;
  for (const char *e = next_element(proof, 0); e; e = next_element(proof, e)) {
    const char *end = past(e);
    *bytes += end ? (unsigned)(end - e - 4) / 2 : maximum_proofs + 1;
    if (++nodes > maximum_nodes || *bytes > maximum_proofs) refuse("proof-too-large");
  }
}
static int listed(const char *array, const char *what) {
  for (const char *e = next_element(array, 0); e; e = next_element(array, e)) if (is_text(e, "*") || is_text(e, what)) return 1;
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 4) { fprintf(stderr, "usage: verify trust-root.json evidence.json device.json [steps]\n"); return 2; }
  steps = argc > 4;
  numbers_init();
  char *envelope = read_file(argv[1]), *evidence = read_file(argv[2]), *device = read_file(argv[3]);
  static const char *const proofs[] = {"productState", "history", "trustRoot", "headVersion", "headSchedule", "releaseCommitment", "releaseState"};
  static uint8_t root_bytes[maximum_node];
  static char attestation[maximum_attestation];
  static uint8_t payload[maximum_attestation];
  uint8_t digest[32], word[32], message[192];

  /* The trust root of the image, with its own signatures. */
  long n = base64_of(member(envelope, "payload"), root_bytes, sizeof root_bytes - 1);
  if (n < 0) refuse("trust-root-malformed");
  root_bytes[n] = 0;
  const char *root = (const char *)root_bytes;
  uint8_t root_digest[32];
  sha256(root_digest, root_bytes, (size_t)n);
  show("trustRootDigest", root_digest, 32);
  size_t signed_size = pre_authentication("application/vnd.firmproof.trust-root+json", root_bytes, (size_t)n);
  sha256(digest, signed_bytes, signed_size);
  show("trustRootSigned", digest, 32);
  unsigned known = 0;
  if (signers(member(envelope, "signatures"), member(root, "rootKeys.keys"), signed_size, &known) < need_number(member(root, "rootKeys.threshold")))
    refuse("trust-root-signature-invalid");

  /* D1 */
  uint64_t chain = need_number(member(root, "chainId")), timestamp = need_number(member(evidence, "block.timestamp"));
  uint8_t state_root[32];
  need_word(member(evidence, "block.stateRoot"), state_root);
  if (need_number(member(evidence, "block.chainId")) != chain) refuse("chain-mismatch");
  memcpy(message, "firmproof.dev/block-statement/v1", 32);
  word_of(message + 32, chain);
  word_of(message + 64, need_number(member(evidence, "block.number")));
  need_word(member(evidence, "block.hash"), message + 96);
  memcpy(message + 128, state_root, 32);
  word_of(message + 160, timestamp);
  show("blockStatement", message, 192);
  unsigned vouching = 0;
  const char *members = member(root, "witnesses.members");
  for (const char *m = next_element(members, 0); m; m = next_element(members, m)) {
    char operator_name[100], other[100];
    int counted = 0;
    if (string_of(member(m, "operator"), operator_name, sizeof operator_name) < 0) refuse("trust-root-malformed");
    /* The first member of an operator stands for all of them. */
    for (const char *b = next_element(members, 0); b && b < m; b = next_element(members, b))
      if (string_of(member(b, "operator"), other, sizeof other) >= 0 && strcmp(other, operator_name) == 0) counted = 1;
    if (counted) continue;
    int vouches = 0;
    for (const char *k = m; k && !vouches; k = next_element(members, k)) {
      uint8_t key[100], given[100], signature[100];
      if (string_of(member(k, "operator"), other, sizeof other) < 0 || strcmp(other, operator_name) != 0) continue;
      long key_size = base64_of(member(k, "publicKey"), key, sizeof key);
      const char *cosignatures = member(evidence, "cosignatures");
      for (const char *c = next_element(cosignatures, 0); c && !vouches; c = next_element(cosignatures, c)) {
        long given_size = base64_of(member(c, "publicKey"), given, sizeof given), size = base64_of(member(c, "signature"), signature, sizeof signature);
        if (key_size > 0 && given_size == key_size && memcmp(given, key, (size_t)key_size) == 0) vouches = signed_by(key, key_size, message, 192, signature, size);
      }
    }
    vouching += (unsigned)vouches;
  }
  word_of(word, vouching);
  show("vouching", word + 31, 1);
  if (vouching < need_number(member(root, "witnesses.quorum"))) refuse("no-quorum");

  /* D2, the age; D4, the bounds */
  uint64_t now = need_number(member(device, "nowSeconds"));
  if (now > timestamp && now - timestamp > need_number(member(root, "maxAgeSeconds"))) refuse("stale");
  unsigned proof_bytes = 0;
  check_sizes(member(evidence, "accountProof"), &proof_bytes);
  for (int i = 0; i < 7; i++) {
    char path[64] = "storageProofs.";
    check_sizes(member(evidence, strcat(path, proofs[i])), &proof_bytes);
  }

  /* D3 */
  uint8_t registry[20], account[256], storage_root[32], code_hash[32];
  size_t account_size = 0;
  item list, parts[4];
  if (hex_of(member(root, "registry"), registry, 20) != 20) refuse("trust-root-malformed");
  int found = prove(member(evidence, "accountProof"), state_root, registry, 20, account, sizeof account, &account_size);
  if (found < 0) refuse("account-proof-invalid");
  if (found == 0) refuse("registry-absent");
  const uint8_t *at = account;
  if (!rlp(&at, account + account_size, &list) || !list.is_list) refuse("account-proof-invalid");
  at = list.bytes;
  for (int i = 0; i < 4; i++) if (!rlp(&at, list.bytes + list.size, &parts[i])) refuse("account-proof-invalid");
  if (parts[2].size != 32 || parts[3].size != 32) refuse("account-proof-invalid");
  memcpy(storage_root, parts[2].bytes, 32);
  show("storageRoot", storage_root, 32);
  show("codeHash", parts[3].bytes, 32);
  const char *pinned = member(root, "registryCodeHash");
  if (pinned) {
    need_word(pinned, code_hash);
    if (memcmp(code_hash, parts[3].bytes, 32) != 0) refuse("registry-code-mismatch");
  }

  /* D4 */
  uint8_t product[32], channel[32] = {0}, p[32], h[32], r[32], slot[32], zero[32] = {0}, one[32], two[32];
  uint8_t state[32], history[32], named_root[32], head[32], schedule[32], commitment[32], release[32];
  char text[100];
  word_of(one, 1);
  word_of(two, 2);
  need_word(member(root, "product"), product);
  n = string_of(member(device, "channel"), text, 32);
  if (n < 1) refuse("config-invalid");
  memcpy(channel, text, (size_t)n);
  map_slot(p, product, zero);
  map_slot(slot, product, one);
  map_slot(h, channel, slot);
  show("productSlot", p, 32);
  show("headSlot", h, 32);
  prove_word(evidence, "productState", storage_root, p, state);
  if (is_nothing(state + 12, 20)) refuse("product-unknown");
  offset_slot(slot, p, 2);
  prove_word(evidence, "history", storage_root, slot, history);
  offset_slot(slot, p, 3);
  prove_word(evidence, "trustRoot", storage_root, slot, named_root);
  prove_word(evidence, "headVersion", storage_root, h, head);
  offset_slot(slot, h, 1);
  prove_word(evidence, "headSchedule", storage_root, slot, schedule);

  /* D2, the history; D9, the root */
  uint64_t sequence = field(state, 160, 48), before = 0;
  const char *last = member(device, "lastProven");
  if (number_of(member(last, "sequence"), &before)) {
    need_word(member(last, "history"), word);
    if (sequence < before) refuse("sequence-rollback");
    if (sequence == before && memcmp(history, word, 32) != 0) refuse("equivocation");
  }
  if (memcmp(named_root, root_digest, 32) != 0) refuse("trust-root-mismatch");

  /* D5 */
  if (field(schedule, 120, 8)) refuse("channel-halted");
  if (head[0] == 0) refuse("channel-empty");
  char version[33] = {0};
  memcpy(version, head, 32);

  /* D4, the release; D6; D7 */
  map_slot(slot, product, two);
  map_slot(r, head, slot);
  show("releaseSlot", r, 32);
  prove_word(evidence, "releaseCommitment", storage_root, r, commitment);
  offset_slot(slot, r, 1);
  prove_word(evidence, "releaseState", storage_root, slot, release);
  if (field(release, 0, 8) == 2) refuse("head-revoked");
  if (field(release, 0, 8) != 1) refuse("release-unknown");
  if (timestamp < field(release, 80, 40)) refuse("not-installable-yet");
  uint64_t rollback_index = field(release, 8, 32), floor = 0;
  number_of(member(device, "rollbackFloor"), &floor);
  if (rollback_index < floor) refuse("below-rollback-floor");

  /* D8 */
  uint8_t image[32], both[64];
  need_word(member(evidence, "release.image"), image);
  n = string_of(member(evidence, "release.attestation"), attestation, sizeof attestation);
  if (n < 0) refuse("attestation-malformed");
  memcpy(both, image, 32);
  sha256(both + 32, attestation, (size_t)n);
  show("attestationDigest", both + 32, 32);
  keccak256(digest, both, 64);
  if (memcmp(digest, commitment, 32) != 0) refuse("commitment-mismatch");

  /* D9, the signature */
  if (!is_text(member(attestation, "dsseEnvelope.payloadType"), "application/vnd.in-toto+json")) refuse("attestation-payload-type");
  n = base64_of(member(attestation, "dsseEnvelope.payload"), payload, sizeof payload - 1);
  if (n < 0) refuse("attestation-malformed");
  payload[n] = 0;
  signed_size = pre_authentication("application/vnd.in-toto+json", payload, (size_t)n);
  sha256(digest, signed_bytes, signed_size);
  show("attestationSigned", digest, 32);
  known = 0;
  unsigned valid = signers(member(attestation, "dsseEnvelope.signatures"), member(root, "buildKeys"), signed_size, &known);
  if (known == 0) refuse("attestation-key-unknown");
  if (valid == 0) refuse("attestation-signature-invalid");

  /* D10 */
  const char *statement = (const char *)payload, *predicate = member(statement, "predicate");
  if (!is_text(member(statement, "_type"), "https://in-toto.io/Statement/v1")) refuse("statement-type");
  if (!is_text(member(statement, "predicateType"), "https://firmproof.dev/release/v1")) refuse("statement-predicate-type");
  if (hex_of(member(predicate, "product"), word, 32) != 32 || memcmp(word, product, 32) != 0) refuse("statement-product");
  if (!is_text(member(predicate, "version"), version)) refuse("statement-version");
  const char *subject = next_element(member(statement, "subject"), 0);
  if (hex_of(member(subject, "digest.sha256"), word, 32) != 32 || memcmp(word, image, 32) != 0) refuse("statement-subject");
  if (need_number(member(predicate, "rollbackIndex")) != rollback_index) refuse("statement-rollback-index");
  if (string_of(member(device, "hardware"), text, sizeof text) < 0 || !listed(member(predicate, "hardware"), text)) refuse("hardware-mismatch");
  int runs = hex_of(member(device, "installed.image"), word, 32) == 32 && memcmp(word, image, 32) == 0;
  if (!runs && (string_of(member(device, "installed.version"), text, sizeof text) < 0 || !listed(member(predicate, "precursors"), text))) refuse("precursor-mismatch");

  /* D11 */
  if (runs) refuse("already-installed");
  uint64_t start = field(schedule, 32, 40), duration = field(schedule, 72, 32), share = field(schedule, 104, 16);
  if (timestamp < start) share = 0;
  else if (timestamp - start >= duration) share = 10000;
  else share += (10000 - share) * (timestamp - start) / duration;
  uint8_t bucket[96];
  need_word(member(device, "rolloutSecret"), bucket);
  memcpy(bucket + 32, product, 32);
  word_of(bucket + 64, field(release, 128, 48));
  sha256(digest, bucket, 96);
  show("bucket", digest, 4);
  uint64_t mine = (uint64_t)digest[0] << 24 | digest[1] << 16 | digest[2] << 8 | digest[3];
  if (mine * 10000 >= share << 32) refuse("outside-rollout");

  printf("update %s ", version);
  for (int i = 0; i < 32; i++) printf("%02x", image[i]);
  puts("");
  return 0;
}
