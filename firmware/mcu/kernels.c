/* See kernels.h. Here in plain C; kernels_dsp.c and kernels_mve.c have their own of what pays. */
#include "kernels.h"

#if defined(__ARM_FEATURE_MVE)
#define HAS_OWN 1
#elif defined(__ARM_FEATURE_DSP)
#define HAS_OWN 1
#else
#define HAS_OWN 0
#endif

#if !HAS_OWN

static uint32_t word_at(const uint8_t *at) {
  return *(const uint32_t *)at;
}

void group_sums(const uint8_t *block, const int16_t *a, int32_t start, int32_t sums[outputTile]) {
  for (int o = 0; o < outputTile; o++) {
    int32_t sum = start;
    for (int run = 0; run < 4; run++) {
      /* Nibble s of each half holds inputs 2s and 2s + 1. */
      uint32_t w = word_at(block + 32 * run + 4 * o);
      const int16_t *x = a + 8 * run;
      for (int s = 0; s < 4; s++, w >>= 4) sum += (int32_t)(w & 15) * x[2 * s] + (int32_t)(w >> 16 & 15) * x[2 * s + 1];
    }
    sums[o] = sum;
  }
}

void group_sums_2(const uint8_t *block, const int16_t *a, const int16_t *b, int32_t startA, int32_t startB,
                  int32_t sumsA[outputTile], int32_t sumsB[outputTile]) {
  group_sums(block, a, startA, sumsA);
  group_sums(block, b, startB, sumsB);
}

int32_t dot_16(const int16_t *a, const int16_t *b, uint32_t n) {
  int32_t sum = 0;
  for (uint32_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

int32_t dot_8(const int16_t *a, const int8_t *b, uint32_t n) {
  int32_t sum = 0;
  for (uint32_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

#define VALUES(name, integer)                                                                         \
  void name(const int16_t *p, const integer *v, uint32_t rows, uint32_t n, int32_t *sums) {           \
    for (uint32_t i = 0; i < n; i++) sums[i] = 0;                                                     \
    for (uint32_t t = 0; t < rows; t++)                                                               \
      for (uint32_t i = 0; i < n; i++) sums[i] += p[t] * v[t * n + i];                                \
  }
VALUES(values_16, int16_t)
VALUES(values_8, int8_t)

int32_t row_sum(const int8_t *quartet, const int16_t *h, uint32_t row, uint32_t n) {
  int32_t sum = 0;
  const int8_t *at = quartet + 2 * row;
  for (uint32_t i = 0; i < n; i += 2, at += 8) sum += at[0] * h[i] + at[1] * h[i + 1];
  return sum;
}

#endif
