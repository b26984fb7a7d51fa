/* See rows.h. Sums of floats run in four lanes, as the generated kernels' scalar build has them. */
#include "rows.h"

float greatest(const float *x, uint32_t n) {
  float most = 0;
  for (uint32_t i = 0; i < n; i++) {
    float size = bits_float(float_bits(x[i]) & 0x7fffffffu);
    if (size > most) most = size;
  }
  return most;
}

static float squares(const float *x, uint32_t n) {
  float lane[4] = {0, 0, 0, 0};
  for (uint32_t i = 0; i < n; i++) lane[i & 3] = x[i] * x[i] + lane[i & 3];
  return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

void rms_norm(const float *x, const float *g, uint32_t n, float *y) {
  float inverse = 1.0f / square_root(squares(x, n) / (float)n + 1e-6f);
  for (uint32_t i = 0; i < n; i++) y[i] = x[i] * inverse * (g[i] + 1.0f);
}

float quantize_head(const float *x, uint32_t n, float most, int16_t *q) {
  float norm = most > 0 ? greatest(x, n) * 32767.0f / most : square_root(squares(x, n));
  float factor = norm > 0 ? 32767.0f / norm : 0;
  for (uint32_t i = 0; i < n; i++) q[i] = (int16_t)rounded(x[i] * factor);
  return norm * (float)(1.0 / 32767.0);
}

float quantize_value(const float *x, uint32_t n, float most, int16_t *q) {
  float max = greatest(x, n), factor = max > 0 ? most / max : 0;
  for (uint32_t i = 0; i < n; i++) q[i] = (int16_t)rounded(x[i] * factor);
  return max * (1.0f / most);
}

/* Both polynomials are those of wasm/kernels/exp.ts. */
float exp2_below(float x) {
  if (x < -126) x = -126;
  float shifted = x + magic, r = x - (shifted - magic);
  float p = 0.00966636837f;
  p = p * r + 0.0559219755f;
  p = p * r + 0.240223497f;
  p = p * r + 0.693121016f;
  p = p * r + 1.0f;
  return bits_float(float_bits(p) + (float_bits(shifted) << 23));
}

float exponential(float x) {
  if (x < -87) x = -87;
  if (x > 87) x = 87;
  float shifted = x * 1.4426950408889634f + magic, n = shifted - magic;
  float r = n * 2.1219444e-4f + (n * -0.693359375f + x);
  float p = 1.98756915e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + (r + 1.0f);
  return p * bits_float((float_bits(shifted) - (0x4b400000u - 127u)) << 23);
}

float sigmoid(float value) {
  return 1.0f / (1.0f + exponential(-value));
}

/* By its power of two and the series of artanh: |s| < 0.172. */
float logarithm(float x) {
  uint32_t bits = float_bits(x);
  int32_t power = (int32_t)(bits >> 23) - 127;
  float m = bits_float((bits & 0x7fffff) | 0x3f800000);
  if (m > 1.41421356f) {
    m = m * 0.5f;
    power++;
  }
  float s = (m - 1.0f) / (m + 1.0f), t = s * s;
  float series = 1.0f + t * (1.0f / 3.0f + t * (1.0f / 5.0f + t * (1.0f / 7.0f + t * (1.0f / 9.0f))));
  return (float)power * 0.69314718f + 2.0f * s * series;
}
