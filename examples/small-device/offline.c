/* Takes an offline file apart (docs/spec/device.md D30) in constant memory: every block is hashed before it is used.
   cc -std=c99 -O2 -o offline offline.c && ./offline update.car evidence.json image.bin
   Prints the sha-256 of the image; ./verify says whether the chain records it. Prints the code that refuses, and exits with 1, instead. */
#include <stdio.h>
#include "numbers.h"
#include "text.h"

enum { maximum_block = 4 << 20, maximum_image_block = 2 << 20, maximum_depth = 3, cid_bytes = 36 };

static FILE *car;
static long first_section;
static void refuse(const char *code) { puts(code); exit(1); }

static int varint(uint64_t *out) {
  *out = 0;
  for (int i = 0; i < 5; i++) {
    int c = getc(car);
    if (c == EOF) return i == 0 ? 0 : -1;
    *out |= (uint64_t)(c & 0x7f) << 7 * i;
    if (c < 0x80) return c == 0 && i > 0 ? -1 : 1;
  }
  return -1;
}
/* A CID of raw, dag-pb or dag-json with sha2-256: its codec and its digest. */
static int cid(int *codec, uint8_t digest[32]) {
  if (getc(car) != 1) return -1;
  *codec = getc(car);
  if (*codec == 0xa9 && getc(car) != 2) return -1;
  if (*codec != 0x55 && *codec != 0x70 && *codec != 0xa9) return -1;
  if (getc(car) != 0x12 || getc(car) != 0x20 || fread(digest, 1, 32, car) != 32) return -1;
  return *codec == 0xa9 ? 37 : 36;
}
/* Reads the block with this name, from where the last one ended and then from the beginning: the file has them in the order of use. */
static size_t block(int codec, const uint8_t digest[32], uint8_t *out, size_t room) {
  uint8_t found[32], hash[32];
  uint64_t length;
  int other;
  for (int rounds = 0; rounds < 2; rounds++, fseek(car, first_section, SEEK_SET)) {
    int state;
    while ((state = varint(&length)) == 1) {
      int size = cid(&other, found);
      if (size < 0 || length < (uint64_t)size || length - (uint64_t)size > maximum_block) refuse("offline-file-malformed");
      size_t n = (size_t)length - (size_t)size;
      if (other != codec || memcmp(found, digest, 32) != 0) {
        if (fseek(car, (long)n, SEEK_CUR) != 0) refuse("offline-file-malformed");
        continue;
      }
      if (n > room) refuse("image-size-mismatch");
      if (fread(out, 1, n, car) != n) refuse("offline-file-malformed");
      sha256(hash, out, n);
      if (memcmp(hash, digest, 32) != 0) refuse("block-digest-mismatch");
      return n;
    }
    if (state < 0) refuse("offline-file-malformed");
  }
  refuse("offline-file-incomplete");
  return 0;
}

/* A link of the root block: base32 in lower case after the letter b. */
static void link_of(const char *root, const char *path, int *codec, uint8_t digest[32]) {
  char text[80];
  uint8_t bytes[cid_bytes];
  size_t n = 0;
  int bits = 0;
  uint32_t held = 0;
  if (string_of(member(member(root, path), "/"), text, sizeof text) != 59 || text[0] != 'b') refuse("offline-file-malformed");
  for (const char *p = text + 1; *p; p++) {
    int v = *p >= 'a' && *p <= 'z' ? *p - 'a' : *p >= '2' && *p <= '7' ? *p - '2' + 26 : -1;
    if (v < 0) refuse("offline-file-malformed");
    held = held << 5 | (uint32_t)v;
    bits += 5;
    if (bits >= 8 && n < sizeof bytes) bytes[n++] = (uint8_t)(held >> (bits -= 8));
  }
  if (n != cid_bytes || bytes[0] != 1 || (bytes[1] != 0x55 && bytes[1] != 0x70) || bytes[2] != 0x12 || bytes[3] != 0x20) refuse("offline-file-malformed");
  *codec = bytes[1];
  memcpy(digest, bytes + 4, 32);
}

/* The leaves below a block, in order. A dag-pb node is protobuf: links are field 2, the CID in a link is field 1. */
static uint8_t nodes[maximum_depth + 1][64 << 10], leaf[maximum_image_block];
static FILE *image_file;
static sha256_state whole;
static void walk(int codec, const uint8_t digest[32], int depth) {
  if (codec == 0x55) {
    size_t n = block(codec, digest, leaf, sizeof leaf);
    sha256_more(&whole, leaf, n);
    if (fwrite(leaf, 1, n, image_file) != n) { perror("image"); exit(2); }
    return;
  }
  if (depth > maximum_depth) refuse("image-size-mismatch");
  uint8_t *p = nodes[depth], *end = p + block(codec, digest, p, sizeof nodes[0]);
  while (p < end) {
    uint8_t tag = *p++;
    size_t n = 0;
    for (int shift = 0; p < end && shift <= 14; shift += 7) {
      n |= (size_t)(*p & 0x7f) << shift;
      if (*p++ < 0x80) break;
    }
    if (n > (size_t)(end - p)) refuse("block-digest-mismatch");
    if (tag == 0x12) {
      if (n < 2 + cid_bytes || p[0] != 0x0a || p[1] != cid_bytes || p[2] != 1 || (p[3] != 0x55 && p[3] != 0x70) || p[4] != 0x12 || p[5] != 0x20) refuse("block-digest-mismatch");
      walk(p[3], p + 6, depth + 1);
    }
    p += n;
  }
}

int main(int argc, char **argv) {
  static const uint8_t head[] = {0x3b, 0xa2, 0x65, 'r', 'o', 'o', 't', 's', 0x81, 0xd8, 0x2a, 0x58, 0x26, 0}, tail[] = {0x67, 'v', 'e', 'r', 's', 'i', 'o', 'n', 1};
  static uint8_t buffer[maximum_block + 1];
  static char root[4097];
  uint8_t start[sizeof head], end[sizeof tail], digest[32], sum[32];
  int codec;
  if (argc != 4) { fprintf(stderr, "usage: offline update.car evidence.json image.bin\n"); return 2; }
  numbers_init();
  FILE *evidence_file = fopen(argv[2], "wb");
  car = fopen(argv[1], "rb");
  image_file = fopen(argv[3], "wb");
  if (!car || !evidence_file || !image_file) { perror("offline"); return 2; }
  if (fread(start, 1, sizeof start, car) != sizeof start || memcmp(start, head, sizeof head) != 0 || cid(&codec, digest) < 0 || codec != 0xa9 ||
      fread(end, 1, sizeof end, car) != sizeof end || memcmp(end, tail, sizeof tail) != 0)
    refuse("offline-file-malformed");
  first_section = ftell(car);
  root[block(0xa9, digest, (uint8_t *)root, sizeof root - 1)] = 0;
  uint64_t version;
  if (!number_of(member(root, "offlineVersion"), &version) || version != 1) refuse("offline-file-malformed");
  link_of(root, "evidence", &codec, digest);
  size_t n = block(codec, digest, buffer, maximum_block);
  if (fwrite(buffer, 1, n, evidence_file) != n) { perror(argv[2]); return 2; }
  fclose(evidence_file);
  link_of(root, "image", &codec, digest);
  sha256_begin(&whole);
  walk(codec, digest, 0);
  sha256_end(&whole, sum);
  if (fclose(image_file) != 0) { perror(argv[3]); return 2; }
  for (int i = 0; i < 32; i++) printf("%02x", sum[i]);
  puts("");
  return 0;
}
