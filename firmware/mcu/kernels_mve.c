/* See kernels.h: with Helium, sixteen products of 8 bits an instruction (Cortex-M55, M85). */
#include "kernels.h"

#if defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

void group_sums(const uint8_t *block, const input *a, int32_t start, int32_t sums[outputTile]) {
  /* The four words of an output's group lie a run apart. */
  static const uint32_t runs[4] = {0, 32, 64, 96};
  const uint32x4_t places = vldrwq_u32(runs);
  const uint8x16_t low = vdupq_n_u8(15);
  const int8x16_t even = vldrbq_s8(a), odd = vldrbq_s8(a + 16);
  for (int o = 0; o < outputTile; o++) {
    uint8x16_t w = vreinterpretq_u8_u32(vldrwq_gather_offset_u32((const uint32_t *)(block + 4 * o), places));
    int32_t sum = vmladavaq_s8(start, vreinterpretq_s8_u8(vandq_u8(w, low)), even);
    sums[o] = vmladavaq_s8(sum, vreinterpretq_s8_u8(vshrq_n_u8(w, 4)), odd);
  }
}

void order_dims(int16_t *x, uint32_t n) {
  (void)x;
  (void)n;
}

int32_t dot_16(const int16_t *a, const int16_t *b, uint32_t n) {
  int32_t sum = 0;
  for (uint32_t i = 0; i < n; i += 8) sum = vmladavaq_s16(sum, vldrhq_s16(a + i), vldrhq_s16(b + i));
  return sum;
}

int32_t dot_8(const int16_t *a, const int8_t *b, uint32_t n) {
  int32_t sum = 0;
  for (uint32_t i = 0; i < n; i += 8) sum = vmladavaq_s16(sum, vldrhq_s16(a + i), vldrbq_s16(b + i));
  return sum;
}

/* Eight dims at a time over all rows: their sums stay in registers. */
#define VALUES(name, integer, load)                                                           \
  void name(const int16_t *p, const integer *v, uint32_t rows, int32_t stride, uint32_t n, int32_t *sums) {   \
    for (uint32_t d = 0; d < n; d += 8, v += 8) {                                             \
      int32x4_t first = vdupq_n_s32(0), second = vdupq_n_s32(0);                              \
      const integer *row = v;                                                                 \
      for (uint32_t t = 0; t < rows; t++, row += stride) {                                         \
        first = vmlaq_n_s32(first, load(row), p[t]);                                          \
        second = vmlaq_n_s32(second, load(row + 4), p[t]);                                    \
      }                                                                                       \
      vstrwq_s32(sums + d, first);                                                            \
      vstrwq_s32(sums + d + 4, second);                                                       \
    }                                                                                         \
  }
VALUES(values_16, int16_t, vldrhq_s32)
VALUES(values_8, int8_t, vldrbq_s32)

#endif
