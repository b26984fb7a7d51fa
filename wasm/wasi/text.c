/* The few functions of <string.h> that the engine uses and that no instruction does. */
#include <stddef.h>

int memcmp(const void *a, const void *b, size_t n) {
  const unsigned char *x = a, *y = b;
  for (; n; n--, x++, y++)
    if (*x != *y) return *x - *y;
  return 0;
}

size_t strlen(const char *text) {
  size_t n = 0;
  while (text[n]) n++;
  return n;
}

char *strchr(const char *text, int c) {
  for (;; text++) {
    if (*text == (char)c) return (char *)text;
    if (!*text) return NULL;
  }
}

void *memchr(const void *bytes, int c, size_t n) {
  for (const unsigned char *at = bytes; n; n--, at++)
    if (*at == (unsigned char)c) return (void *)at;
  return NULL;
}
