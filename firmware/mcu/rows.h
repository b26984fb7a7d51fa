/* One row of floats at a time: norms, exponentials, and the integers that the kernels multiply. Sources: wasm/kernels. */
#ifndef THIMBLE_ROWS_H
#define THIMBLE_ROWS_H

#include <stdint.h>
#include <string.h>

/* Without libm: one instruction with a floating point unit. */
#if defined(__GNUC__) || defined(__clang__)
#define square_root(x) __builtin_sqrtf(x)
#else
#include <math.h>
#define square_root(x) sqrtf(x)
#endif

static inline float bits_float(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}
static inline uint32_t float_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}

/* 1.5 · 2²³: adding it rounds |x| < 2²² to an integer, halves to even, in the low mantissa bits. */
static const float magic = 12582912.0f;
static inline int32_t rounded(float x) {
  return (int32_t)(float_bits(x + magic) - 0x4b400000u);
}

/* max|x| of n floats. */
float greatest(const float *x, uint32_t n);

/* y = (1 + g) · x / √(mean(x²) + 1e-6), in place if y = x. */
void rms_norm(const float *x, const float *g, uint32_t n, float *y);

/* x (n) → integers scaled by 32767/‖x‖₂, or with `most` by most/max|x|; returns the scale. */
float quantize_head(const float *x, uint32_t n, float most, int16_t *q);

/* x (n) → integers scaled by most/max|x|; returns the scale. */
float quantize_value(const float *x, uint32_t n, float most, int16_t *q);

/* 2^x for x ≤ 0, taken as −126 below that. */
float exp2_below(float x);
float sigmoid(float value);
/* e^x, x taken within ±87. */
float exponential(float x);
/* ln x of x ≥ 1, within 2e-7 of it or of 1. */
float logarithm(float x);

#endif
