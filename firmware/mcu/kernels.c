/*
 * See kernels.h. Here in plain C, what every core has; kernels_dsp.c and kernels_mve.c are for those that have more. Sums are
 * modulo 2³², so that damaged numbers end in wrong ones and nothing else.
 */
#include "kernels.h"

int32_t row_sum(const int8_t *quartet, const int16_t *h, uint32_t row, uint32_t n) {
  uint32_t sum = 0;
  const int8_t *at = quartet + 2 * row;
  for (uint32_t i = 0; i < n; i += 2, at += 8) sum += (uint32_t)(at[0] * h[i] + at[1] * h[i + 1]);
  return (int32_t)sum;
}

#if !defined(__ARM_FEATURE_DSP) || !__ARM_FEATURE_DSP

void group_sums(const uint8_t *block, const input *a, int32_t start, int32_t sums[outputTile]) {
  for (int o = 0; o < outputTile; o++) {
    uint32_t sum = (uint32_t)start;
    for (int run = 0; run < 4; run++) {
      /* Nibble s of each half holds inputs 2s and 2s + 1. */
      uint32_t w = *(const uint32_t *)(block + 32 * run + 4 * o);
      const input *x = a + 8 * run;
      for (int s = 0; s < 4; s++, w >>= 4) 
        sum += (uint32_t)((int32_t)(w & 15) * x[2 * s] + (int32_t)(w >> 16 & 15) * x[2 * s + 1]);
    }
    sums[o] = (int32_t)sum;
  }
}

void order_dims(int16_t *x, uint32_t n) {
  (void)x;
  (void)n;
}

#define DOT(name, integer)                                              \
  int32_t name(const int16_t *a, const integer *b, uint32_t n) {        \
    uint32_t sum = 0;                                                   \
    for (uint32_t i = 0; i < n; i++) sum += (uint32_t)(a[i] * b[i]);    \
    return (int32_t)sum;                                                       \
  }
DOT(dot_16, int16_t)
DOT(dot_8, int8_t)

#define VALUES(name, integer)                                                               \
  void name(const int16_t *p, const integer *v, uint32_t rows, int32_t stride, uint32_t n, int32_t *sums) { \
    for (uint32_t i = 0; i < n; i++) sums[i] = 0;                                           \
    for (uint32_t t = 0; t < rows; t++)                                                     \
      for (uint32_t i = 0; i < n; i++) sums[i] = (int32_t)((uint32_t)sums[i] + (uint32_t)(p[t] * v[(int32_t)t * stride + (int32_t)i])); \
  }
VALUES(values_16, int16_t)
VALUES(values_8, int8_t)

#endif
