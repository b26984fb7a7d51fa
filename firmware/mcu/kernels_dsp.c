/* See kernels.h: with SMLAD, two products of 16 bits an instruction (Cortex-M4, M7, M33). */
#include "kernels.h"

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP && !defined(__ARM_FEATURE_MVE)

#include <arm_acle.h>
#include <string.h>

/* A run of 8 inputs, in x0 … x3, against an output's 8 nibbles: nibble s of each half meets inputs 2s and 2s + 1. */
#define OUTPUT(sum, at)                             \
  "ldr %[v], [%[w], #" #at "]\n"                    \
  "and %[t], %[v], %[mask]\n"                       \
  "smlad %[" #sum "], %[t], %[x0], %[" #sum "]\n"   \
  "and %[t], %[mask], %[v], lsr #4\n"               \
  "smlad %[" #sum "], %[t], %[x1], %[" #sum "]\n"   \
  "and %[t], %[mask], %[v], lsr #8\n"               \
  "smlad %[" #sum "], %[t], %[x2], %[" #sum "]\n"   \
  "and %[t], %[mask], %[v], lsr #12\n"              \
  "smlad %[" #sum "], %[t], %[x3], %[" #sum "]\n"
#define RUN(first, second, a, b, c, d)                  \
  "ldrd %[x0], %[x1], [%[a], #" #first "]\n"            \
  "ldrd %[x2], %[x3], [%[a], #" #second "]\n" OUTPUT(s0, a) OUTPUT(s1, b) OUTPUT(s2, c) OUTPUT(s3, d)

/* Four outputs by hand: a compiler spills some of the 13 registers. */
static void four_sums(const uint8_t *w, const input *a, int32_t start, int32_t sums[4]) {
  int32_t s0 = start, s1 = start, s2 = start, s3 = start;
  uint32_t x0, x1, x2, x3, v, t;
  __asm__(RUN(0, 8, 0, 4, 8, 12) RUN(16, 24, 32, 36, 40, 44) RUN(32, 40, 64, 68, 72, 76) RUN(48, 56, 96, 100, 104, 108)
          : [s0] "+&r"(s0), [s1] "+&r"(s1), [s2] "+&r"(s2), [s3] "+&r"(s3), [x0] "=&r"(x0), [x1] "=&r"(x1),
            [x2] "=&r"(x2), [x3] "=&r"(x3), [v] "=&r"(v), [t] "=&r"(t)
          : [w] "r"(w), [a] "r"(a), [mask] "r"(0x000f000f)
          : "memory");
  sums[0] = s0;
  sums[1] = s1;
  sums[2] = s2;
  sums[3] = s3;
}

void group_sums(const uint8_t *block, const input *a, int32_t start, int32_t sums[outputTile]) {
  four_sums(block, a, start, sums);
  four_sums(block + 16, a, start, sums + 4);
}

void order_dims(int16_t *x, uint32_t n) {
  for (uint32_t i = 0; i < n; i += 4) {
    int16_t second = x[i + 1];
    x[i + 1] = x[i + 2];
    x[i + 2] = second;
  }
}

static inline int16x2_t pair_at(const void *at) {
  int16x2_t pair;
  memcpy(&pair, at, 4);
  return pair;
}

/* Bytes 0 and 2, and 1 and 3, as pairs of 16 bits. */
static inline int16x2_t even_bytes(int8x4_t bytes) {
  return __sxtb16(bytes);
}
static inline int16x2_t odd_bytes(int8x4_t bytes) {
  int16x2_t pair;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(bytes));
  return pair;
}

int32_t dot_16(const int16_t *a, const int16_t *b, uint32_t n) {
  int32_t sum = 0;
  for (const int16_t *end = a + n; a < end; a += 8, b += 8)
    for (int i = 0; i < 8; i += 2) sum = __smlad(pair_at(a + i), pair_at(b + i), sum);
  return sum;
}

int32_t dot_8(const int16_t *a, const int8_t *b, uint32_t n) {
  int32_t sum = 0;
  for (const int16_t *end = a + n; a < end; a += 8, b += 8)
    for (int i = 0; i < 8; i += 4) {
      int8x4_t bytes = pair_at(b + i);
      sum = __smlad(pair_at(a + i), even_bytes(bytes), sum);
      sum = __smlad(pair_at(a + i + 2), odd_bytes(bytes), sum);
    }
  return sum;
}

/* Eight dims at a time over all rows: their sums stay in registers. */
void values_16(const int16_t *p, const int16_t *v, uint32_t rows, int32_t stride, uint32_t n, int32_t *sums) {
  for (uint32_t d = 0; d < n; d += 8, v += 8) {
    int32_t s[8] = {0};
    const int16_t *row = v;
    for (uint32_t t = 0; t < rows; t++, row += stride)
      for (int i = 0; i < 8; i += 2) {
        int16x2_t pair = pair_at(row + i);
        s[i] = __smlabb(p[t], pair, s[i]);
        s[i + 1] = __smlabt(p[t], pair, s[i + 1]);
      }
    memcpy(sums + d, s, sizeof s);
  }
}

void values_8(const int16_t *p, const int8_t *v, uint32_t rows, int32_t stride, uint32_t n, int32_t *sums) {
  for (uint32_t d = 0; d < n; d += 8, v += 8) {
    int32_t s[8] = {0};
    const int8_t *row = v;
    for (uint32_t t = 0; t < rows; t++, row += stride)
      for (int i = 0; i < 8; i += 4) {
        int8x4_t bytes = pair_at(row + i);
        int16x2_t even = even_bytes(bytes), odd = odd_bytes(bytes);
        s[i] = __smlabb(p[t], even, s[i]);
        s[i + 1] = __smlabb(p[t], odd, s[i + 1]);
        s[i + 2] = __smlabt(p[t], even, s[i + 2]);
        s[i + 3] = __smlabt(p[t], odd, s[i + 3]);
      }
    memcpy(sums + d, s, sizeof s);
  }
}

#endif
