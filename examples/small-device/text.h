/* JSON, hexadecimal and base64, as far as evidence has them. Everything reads inside one text that ends with a zero byte. */
#ifndef TEXT_H
#define TEXT_H
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char *space(const char *p) { while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t') p++; return p; }

/* Past a string; null where it does not end. */
static const char *past_string(const char *p) {
  for (p++; *p != '"'; p++) {
    if (*p == 0 || (*p == '\\' && *++p == 0)) return 0;
  }
  return p + 1;
}
/* Past any value. */
static const char *past(const char *p) {
  int depth = 0;
  do {
    p = space(p);
    if (*p == '"') { if (!(p = past_string(p))) return 0; }
    else if (*p == '{' || *p == '[') { depth++; p++; }
    else if (*p == '}' || *p == ']') { depth--; p++; }
    else if (*p == ',' || *p == ':') p++;
    else if (*p == 0) return 0;
    else while (*p && !strchr(",:]} \n\r\t\"[{", *p)) p++;
    if (depth < 0) return 0;
  } while (depth > 0);
  return p;
}
/* The value of a member; null where there is none. Follows a path such as "block.number". */
static const char *member(const char *object, const char *path) {
  size_t n = strcspn(path, ".");
  const char *p = object ? space(object) : 0;
  if (!p || *p != '{') return 0;
  for (p = space(p + 1); *p == '"';) {
    const char *name = p + 1, *end = past_string(p);
    if (!end) return 0;
    p = space(end);
    if (*p != ':') return 0;
    p = space(p + 1);
    if ((size_t)(end - 1 - name) == n && memcmp(name, path, n) == 0) return path[n] ? member(p, path + n + 1) : p;
    if (!(p = past(p))) return 0;
    p = space(p);
    if (*p == ',') p = space(p + 1);
  }
  return 0;
}
/* The elements of an array one by one: start with null. */
static const char *next_element(const char *array, const char *element) {
  if (!array || *(array = space(array)) != '[') return 0;
  const char *p = element ? past(element) : array + 1;
  if (!p) return 0;
  p = space(p);
  if (element) {
    if (*p != ',') return 0;
    p = space(p + 1);
  }
  return *p == ']' || *p == 0 ? 0 : p;
}
/* A string without its escapes, its length; -1 where it is none or too long. */
static long string_of(const char *value, char *out, size_t room) {
  size_t n = 0;
  if (!value || *value != '"') return -1;
  for (const char *p = value + 1; *p != '"'; p++) {
    char c = *p;
    if (c == 0) return -1;
    if (c == '\\') {
      c = *++p;
      if (c == 'n') c = '\n';
      else if (c == 't') c = '\t';
      else if (c == 'r') c = '\r';
      else if (c != '"' && c != '\\' && c != '/') return -1;
    }
    if (n + 1 >= room) return -1;
    out[n++] = c;
  }
  out[n] = 0;
  return (long)n;
}
static int is_text(const char *value, const char *text) {
  size_t n = strlen(text);
  return value && *value == '"' && strncmp(value + 1, text, n) == 0 && value[n + 1] == '"';
}
static int number_of(const char *value, uint64_t *out) {
  if (!value || *value < '0' || *value > '9') return 0;
  *out = strtoull(value, 0, 10);
  return 1;
}
static int nibble(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }
/* A string of hexadecimal digits, with or without 0x; -1 where it is none. */
static long hex_of(const char *value, uint8_t *out, size_t room) {
  size_t n = 0;
  if (!value || *value != '"') return -1;
  const char *p = value + 1;
  if (p[0] == '0' && p[1] == 'x') p += 2;
  for (; *p != '"'; p += 2, n++) {
    int hi = nibble(p[0]), lo = hi < 0 ? -1 : nibble(p[1]);
    if (lo < 0 || n == room) return -1;
    out[n] = (uint8_t)(hi << 4 | lo);
  }
  return (long)n;
}
static long base64_of(const char *value, uint8_t *out, size_t room) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t n = 0, bits = 0;
  uint32_t held = 0;
  if (!value || *value != '"') return -1;
  for (const char *p = value + 1; *p != '"' && *p != '='; p++) {
    const char *letter = *p ? strchr(letters, *p) : 0;
    if (!letter) return -1;
    held = held << 6 | (uint32_t)(letter - letters);
    bits += 6;
    if (bits < 8) continue;
    if (n == room) return -1;
    bits -= 8;
    out[n++] = (uint8_t)(held >> bits);
  }
  return (long)n;
}
#endif
