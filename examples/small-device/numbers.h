/* Numbers of 256 bits, hashes and signatures, in C99 and nothing else: slow (0.1 s a signature) and small, to be read. A product takes
   its hardware or a reviewed library instead; what they must answer is in docs/spec/vectors. */
#ifndef NUMBERS_H
#define NUMBERS_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct { uint32_t w[8]; } num; /* least significant word first */

static num from_u64(uint64_t v) { num r = {{(uint32_t)v, (uint32_t)(v >> 32), 0, 0, 0, 0, 0, 0}}; return r; }
static num from_be(const uint8_t *b) {
  num r;
  for (int i = 0; i < 8; i++, b += 4) r.w[7 - i] = (uint32_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
  return r;
}
static void to_be(uint8_t *out, num a) {
  for (int i = 0; i < 32; i++) out[i] = (uint8_t)(a.w[7 - i / 4] >> (24 - 8 * (i % 4)));
}
static num from_le(const uint8_t *b) {
  uint8_t be[32];
  for (int i = 0; i < 32; i++) be[i] = b[31 - i];
  return from_be(be);
}
static int bit(const num *a, int i) { return a->w[i / 32] >> (i % 32) & 1; }
static int cmp(num a, num b) {
  for (int i = 7; i >= 0; i--) if (a.w[i] != b.w[i]) return a.w[i] < b.w[i] ? -1 : 1;
  return 0;
}
static int is_zero(num a) { return cmp(a, from_u64(0)) == 0; }
static int add(num *r, num a, num b) {
  uint64_t c = 0;
  for (int i = 0; i < 8; i++) { c += (uint64_t)a.w[i] + b.w[i]; r->w[i] = (uint32_t)c; c >>= 32; }
  return (int)c;
}
static num sub(num a, num b) {
  num r;
  int64_t c = 0;
  for (int i = 0; i < 8; i++) { c += (int64_t)a.w[i] - b.w[i]; r.w[i] = (uint32_t)c; c >>= 32; }
  return r;
}
/* Modulo m, of numbers below m. */
static num addm(num a, num b, num m) {
  num r;
  int carry = add(&r, a, b);
  return carry || cmp(r, m) >= 0 ? sub(r, m) : r;
}
static num subm(num a, num b, num m) { return cmp(a, b) >= 0 ? sub(a, b) : sub(m, sub(b, a)); }
static num mulm(num a, num b, num m) {
  num r = from_u64(0);
  for (int i = 255; i >= 0; i--) {
    r = addm(r, r, m);
    if (bit(&b, i)) r = addm(r, a, m);
  }
  return r;
}
static num powm(num a, num e, num m) {
  num r = from_u64(1);
  for (int i = 255; i >= 0; i--) {
    r = mulm(r, r, m);
    if (bit(&e, i)) r = mulm(r, a, m);
  }
  return r;
}
static num invm(num a, num m) { return powm(a, sub(m, from_u64(2)), m); }
static num from_hex(const char *s) {
  uint8_t b[32];
  for (int i = 0; i < 32; i++) {
    int hi = s[2 * i] > '9' ? s[2 * i] - 'a' + 10 : s[2 * i] - '0', lo = s[2 * i + 1] > '9' ? s[2 * i + 1] - 'a' + 10 : s[2 * i + 1] - '0';
    b[i] = (uint8_t)(hi << 4 | lo);
  }
  return from_be(b);
}

/* FIPS 180-4. The constants are fractions of roots of primes: they are computed here rather than copied. */
static uint64_t sha_k[80], sha_h[8];
static num sha_big; /* larger than everything that is multiplied */
static uint64_t root_fraction(unsigned prime, int degree) {
  /* the largest x with x^degree <= prime * 2^(64 * degree), modulo 2^64 */
  num limit = from_u64(0), x = from_u64(0);
  limit.w[2 * degree] = prime;
  for (int i = 69; i >= 0; i--) {
    num t = x;
    t.w[i / 32] |= 1u << (i % 32);
    num power = mulm(t, t, sha_big);
    if (degree == 3) power = mulm(power, t, sha_big);
    if (cmp(power, limit) <= 0) x = t;
  }
  return (uint64_t)x.w[1] << 32 | x.w[0];
}
static void sha_init(void) {
  memset(&sha_big, 0xff, sizeof sha_big);
  unsigned found = 0;
  for (unsigned n = 2; found < 80; n++) {
    int prime = 1;
    for (unsigned d = 2; d * d <= n; d++) if (n % d == 0) prime = 0;
    if (!prime) continue;
    sha_k[found] = root_fraction(n, 3);
    if (found < 8) sha_h[found] = root_fraction(n, 2);
    found++;
  }
}
#define ROR32(x, n) ((x) >> (n) | (x) << (32 - (n)))
#define ROR64(x, n) ((x) >> (n) | (x) << (64 - (n)))

typedef struct { uint32_t h[8]; uint8_t block[64]; uint64_t length; } sha256_state;
static void sha256_block(sha256_state *s) {
  uint32_t w[64], v[8];
  for (int i = 0; i < 16; i++) w[i] = (uint32_t)s->block[4 * i] << 24 | s->block[4 * i + 1] << 16 | s->block[4 * i + 2] << 8 | s->block[4 * i + 3];
  for (int i = 16; i < 64; i++)
    w[i] = w[i - 16] + (ROR32(w[i - 15], 7) ^ ROR32(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] + (ROR32(w[i - 2], 17) ^ ROR32(w[i - 2], 19) ^ w[i - 2] >> 10);
  memcpy(v, s->h, sizeof v);
  for (int i = 0; i < 64; i++) {
    uint32_t t1 = v[7] + (ROR32(v[4], 6) ^ ROR32(v[4], 11) ^ ROR32(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + (uint32_t)(sha_k[i] >> 32) + w[i];
    uint32_t t2 = (ROR32(v[0], 2) ^ ROR32(v[0], 13) ^ ROR32(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
    memmove(v + 1, v, 7 * sizeof *v);
    v[4] += t1;
    v[0] = t1 + t2;
  }
  for (int i = 0; i < 8; i++) s->h[i] += v[i];
}
static void sha256_begin(sha256_state *s) {
  for (int i = 0; i < 8; i++) s->h[i] = (uint32_t)(sha_h[i] >> 32);
  s->length = 0;
}
static void sha256_more(sha256_state *s, const void *data, size_t n) {
  const uint8_t *b = data;
  while (n--) {
    s->block[s->length++ % 64] = *b++;
    if (s->length % 64 == 0) sha256_block(s);
  }
}
static void sha256_end(sha256_state *s, uint8_t out[32]) {
  uint64_t bits = s->length * 8;
  uint8_t one = 0x80, zero = 0, length[8];
  sha256_more(s, &one, 1);
  while (s->length % 64 != 56) sha256_more(s, &zero, 1);
  for (int i = 0; i < 8; i++) length[i] = (uint8_t)(bits >> (56 - 8 * i));
  sha256_more(s, length, 8);
  for (int i = 0; i < 32; i++) out[i] = (uint8_t)(s->h[i / 4] >> (24 - 8 * (i % 4)));
}
static void sha256(uint8_t out[32], const void *data, size_t n) {
  sha256_state s;
  sha256_begin(&s);
  sha256_more(&s, data, n);
  sha256_end(&s, out);
}

/* SHA-512 of a message in three parts, each of any length. */
static void sha512(uint8_t out[64], const uint8_t *part[3], const size_t size[3]) {
  uint64_t h[8], w[80], v[8];
  uint8_t block[128];
  size_t total = size[0] + size[1] + size[2], padded = (total + 17 + 127) / 128 * 128, k = 0, at = 0;
  memcpy(h, sha_h, sizeof h);
  for (size_t i = 0; i < padded; i++) {
    while (k < 3 && at == size[k]) { k++; at = 0; }
    uint8_t byte = 0;
    if (i < total) byte = part[k][at++];
    else if (i == total) byte = 0x80;
    else if (i >= padded - 8) byte = (uint8_t)((uint64_t)total * 8 >> 8 * (padded - 1 - i));
    block[i % 128] = byte;
    if (i % 128 != 127) continue;
    for (int j = 0; j < 16; j++) {
      w[j] = 0;
      for (int b = 0; b < 8; b++) w[j] = w[j] << 8 | block[8 * j + b];
    }
    for (int j = 16; j < 80; j++)
      w[j] = w[j - 16] + (ROR64(w[j - 15], 1) ^ ROR64(w[j - 15], 8) ^ w[j - 15] >> 7) + w[j - 7] + (ROR64(w[j - 2], 19) ^ ROR64(w[j - 2], 61) ^ w[j - 2] >> 6);
    memcpy(v, h, sizeof v);
    for (int j = 0; j < 80; j++) {
      uint64_t t1 = v[7] + (ROR64(v[4], 14) ^ ROR64(v[4], 18) ^ ROR64(v[4], 41)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + sha_k[j] + w[j];
      uint64_t t2 = (ROR64(v[0], 28) ^ ROR64(v[0], 34) ^ ROR64(v[0], 39)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
      memmove(v + 1, v, 7 * sizeof *v);
      v[4] += t1;
      v[0] = t1 + t2;
    }
    for (int j = 0; j < 8; j++) h[j] += v[j];
  }
  for (int i = 0; i < 64; i++) out[i] = (uint8_t)(h[i / 8] >> (56 - 8 * (i % 8)));
}

/* Keccak-256 with the padding of before FIPS 202, as Ethereum has it. */
static void keccak_f(uint64_t a[25]) {
  uint8_t lfsr = 1;
  for (int round = 0; round < 24; round++) {
    uint64_t c[5], t;
    for (int x = 0; x < 5; x++) c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    for (int x = 0; x < 5; x++) {
      t = c[(x + 4) % 5] ^ ROR64(c[(x + 1) % 5], 63);
      for (int y = 0; y < 25; y += 5) a[x + y] ^= t;
    }
    int x = 1, y = 0;
    uint64_t current = a[1];
    for (int i = 0; i < 24; i++) {
      int turn = (i + 1) * (i + 2) / 2 % 64, next = (2 * x + 3 * y) % 5;
      x = y;
      y = next;
      t = a[x + 5 * y];
      a[x + 5 * y] = turn == 0 ? current : current << turn | current >> (64 - turn);
      current = t;
    }
    for (y = 0; y < 25; y += 5) {
      memcpy(c, a + y, sizeof c);
      for (x = 0; x < 5; x++) a[x + y] = c[x] ^ (~c[(x + 1) % 5] & c[(x + 2) % 5]);
    }
    for (int j = 0; j < 7; j++) {
      if (lfsr & 1) a[0] ^= (uint64_t)1 << ((1 << j) - 1);
      lfsr = (uint8_t)(lfsr & 0x80 ? lfsr << 1 ^ 0x71 : lfsr << 1);
    }
  }
}
static void keccak256(uint8_t out[32], const uint8_t *data, size_t n) {
  uint64_t a[25] = {0};
  const size_t rate = 136;
  for (size_t i = 0; i <= n / rate * rate + rate - 1; i++) {
    uint8_t byte = i < n ? data[i] : i == n ? 1 : 0;
    if (i == n / rate * rate + rate - 1) byte |= 0x80;
    a[i % rate / 8] ^= (uint64_t)byte << 8 * (i % 8);
    if (i % rate == rate - 1) keccak_f(a);
  }
  for (int i = 0; i < 32; i++) out[i] = (uint8_t)(a[i / 8] >> 8 * (i % 8));
}

/* Ed25519, RFC 8032. */
static num ed_p, ed_l, ed_d, ed_i;
typedef struct { num x, y, z, t; } ed_point;
static ed_point ed_add(ed_point p, ed_point q) {
  num m = ed_p, a = mulm(subm(p.y, p.x, m), subm(q.y, q.x, m), m), b = mulm(addm(p.y, p.x, m), addm(q.y, q.x, m), m);
  num c = mulm(mulm(addm(ed_d, ed_d, m), p.t, m), q.t, m), d = mulm(addm(p.z, p.z, m), q.z, m);
  num e = subm(b, a, m), f = subm(d, c, m), g = addm(d, c, m), h = addm(b, a, m);
  ed_point r = {mulm(e, f, m), mulm(g, h, m), mulm(f, g, m), mulm(e, h, m)};
  return r;
}
static ed_point ed_times(const uint8_t *scalar_le, int bits, ed_point p) {
  ed_point r = {from_u64(0), from_u64(1), from_u64(1), from_u64(0)};
  for (int i = bits - 1; i >= 0; i--) {
    r = ed_add(r, r);
    if (scalar_le[i / 8] >> (i % 8) & 1) r = ed_add(r, p);
  }
  return r;
}
static int ed_decode(ed_point *r, const uint8_t b[32]) {
  uint8_t copy[32];
  memcpy(copy, b, 32);
  copy[31] &= 0x7f;
  num m = ed_p, y = from_le(copy), one = from_u64(1);
  if (cmp(y, m) >= 0) return 0;
  num yy = mulm(y, y, m), x2 = mulm(subm(yy, one, m), invm(addm(mulm(ed_d, yy, m), one, m), m), m), e = m;
  add(&e, e, from_u64(3));
  for (int i = 0; i < 3; i++) for (int k = 0; k < 8; k++) e.w[k] = e.w[k] >> 1 | (k < 7 ? e.w[k + 1] << 31 : 0); /* (p + 3) / 8 */
  num x = powm(x2, e, m);
  if (cmp(mulm(x, x, m), x2) != 0) x = mulm(x, ed_i, m);
  if (cmp(mulm(x, x, m), x2) != 0) return 0;
  if (is_zero(x) && b[31] >> 7) return 0;
  if ((int)(x.w[0] & 1) != b[31] >> 7) x = subm(from_u64(0), x, m);
  ed_point p = {x, y, one, mulm(x, y, m)};
  *r = p;
  return 1;
}
static void ed_init(void) {
  ed_p = from_hex("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");
  ed_l = from_hex("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed");
  ed_d = mulm(subm(from_u64(0), from_u64(121665), ed_p), invm(from_u64(121666), ed_p), ed_p);
  num e = sub(ed_p, from_u64(1));
  for (int i = 0; i < 2; i++) for (int k = 0; k < 8; k++) e.w[k] = e.w[k] >> 1 | (k < 7 ? e.w[k + 1] << 31 : 0);
  ed_i = powm(from_u64(2), e, ed_p); /* 2^((p - 1) / 4): a root of -1 */
}
static int ed25519_verify(const uint8_t key[32], const uint8_t *message, size_t n, const uint8_t signature[64]) {
  uint8_t h[64], base[32], encoded[32];
  ed_point a, b;
  memset(base, 0x66, 32);
  base[0] = 0x58;
  if (cmp(from_le(signature + 32), ed_l) >= 0 || !ed_decode(&a, key) || !ed_decode(&b, base)) return 0;
  sha512(h, (const uint8_t *[]){signature, key, message}, (const size_t[]){32, 32, n});
  a.x = subm(from_u64(0), a.x, ed_p);
  a.t = subm(from_u64(0), a.t, ed_p);
  ed_point r = ed_add(ed_times(signature + 32, 256, b), ed_times(h, 512, a)); /* S·B − h·A */
  num z = invm(r.z, ed_p), x = mulm(r.x, z, ed_p), y = mulm(r.y, z, ed_p);
  to_be(encoded, y);
  for (int i = 0; i < 16; i++) { uint8_t t = encoded[i]; encoded[i] = encoded[31 - i]; encoded[31 - i] = t; }
  encoded[31] |= (uint8_t)((x.w[0] & 1) << 7);
  return memcmp(encoded, signature, 32) == 0;
}

/* ECDSA over P-256 with SHA-256, FIPS 186-5. Jacobian coordinates; z = 0 is the point at infinity. */
static num ec_p, ec_n;
typedef struct { num x, y, z; } ec_point;
static ec_point ec_double(ec_point p) {
  num m = ec_p, delta = mulm(p.z, p.z, m), gamma = mulm(p.y, p.y, m), beta = mulm(p.x, gamma, m);
  num alpha = mulm(mulm(from_u64(3), subm(p.x, delta, m), m), addm(p.x, delta, m), m), beta4 = mulm(from_u64(4), beta, m);
  num x = subm(mulm(alpha, alpha, m), addm(beta4, beta4, m), m), yz = addm(p.y, p.z, m);
  num z = subm(subm(mulm(yz, yz, m), gamma, m), delta, m);
  num y = subm(mulm(alpha, subm(beta4, x, m), m), mulm(from_u64(8), mulm(gamma, gamma, m), m), m);
  ec_point r = {x, y, z};
  return r;
}
static ec_point ec_add(ec_point p, ec_point q) {
  if (is_zero(p.z)) return q;
  if (is_zero(q.z)) return p;
  num m = ec_p, pz = mulm(p.z, p.z, m), qz = mulm(q.z, q.z, m), u1 = mulm(p.x, qz, m), u2 = mulm(q.x, pz, m);
  num s1 = mulm(p.y, mulm(q.z, qz, m), m), s2 = mulm(q.y, mulm(p.z, pz, m), m), h = subm(u2, u1, m), r = subm(s2, s1, m);
  if (is_zero(h)) {
    ec_point none = {from_u64(1), from_u64(1), from_u64(0)};
    return is_zero(r) ? ec_double(p) : none;
  }
  num hh = mulm(h, h, m), hhh = mulm(h, hh, m), v = mulm(u1, hh, m);
  num x = subm(subm(mulm(r, r, m), hhh, m), addm(v, v, m), m);
  ec_point sum = {x, subm(mulm(r, subm(v, x, m), m), mulm(s1, hhh, m), m), mulm(h, mulm(p.z, q.z, m), m)};
  return sum;
}
static ec_point ec_times(num k, ec_point p) {
  ec_point r = {from_u64(1), from_u64(1), from_u64(0)};
  for (int i = 255; i >= 0; i--) {
    r = ec_double(r);
    if (bit(&k, i)) r = ec_add(r, p);
  }
  return r;
}
static ec_point ec_base;
static num ec_b;
static void ec_init(void) {
  ec_p = from_hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
  ec_n = from_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
  ec_b = from_hex("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b");
  ec_base.x = from_hex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
  ec_base.y = from_hex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
  ec_base.z = from_u64(1);
}
/* An INTEGER of DER, positive and in its shortest form, of at most 256 bits. */
static int der_integer(const uint8_t **at, const uint8_t *end, num *out) {
  const uint8_t *p = *at;
  uint8_t b[32] = {0};
  if (end - p < 3 || p[0] != 2 || p[1] == 0 || p[1] > 33 || end - p < 2 + p[1] || p[2] & 0x80) return 0;
  size_t n = p[1];
  p += 2;
  *at = p + n;
  if (n > 1 && p[0] == 0) { if (!(p[1] & 0x80)) return 0; p++; n--; }
  if (n > 32) return 0;
  memcpy(b + 32 - n, p, n);
  *out = from_be(b);
  return 1;
}
static int p256_verify(const uint8_t xy[64], const uint8_t hash[32], const uint8_t *der, size_t n) {
  num r, s;
  const uint8_t *at = der + 2, *end = der + n;
  if (n < 8 || der[0] != 0x30 || der[1] != n - 2 || !der_integer(&at, end, &r) || !der_integer(&at, end, &s) || at != end) return 0;
  if (is_zero(r) || is_zero(s) || cmp(r, ec_n) >= 0 || cmp(s, ec_n) >= 0) return 0;
  ec_point q = {from_be(xy), from_be(xy + 32), from_u64(1)};
  if (cmp(q.x, ec_p) >= 0 || cmp(q.y, ec_p) >= 0) return 0;
  num right = addm(subm(mulm(q.x, mulm(q.x, q.x, ec_p), ec_p), mulm(from_u64(3), q.x, ec_p), ec_p), ec_b, ec_p);
  if (cmp(mulm(q.y, q.y, ec_p), right) != 0) return 0;
  num e = from_be(hash);
  if (cmp(e, ec_n) >= 0) e = sub(e, ec_n);
  num w = invm(s, ec_n);
  ec_point sum = ec_add(ec_times(mulm(e, w, ec_n), ec_base), ec_times(mulm(r, w, ec_n), q));
  if (is_zero(sum.z)) return 0;
  num z = invm(sum.z, ec_p), x = mulm(sum.x, mulm(z, z, ec_p), ec_p);
  if (cmp(x, ec_n) >= 0) x = sub(x, ec_n);
  return cmp(x, r) == 0;
}

static void numbers_init(void) { sha_init(); ed_init(); ec_init(); }
#endif
