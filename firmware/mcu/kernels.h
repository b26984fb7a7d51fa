/*
 * The inner loops: exact sums of small integers. One source each in plain C, for cores with the DSP extension (SMLAD:
 * Cortex-M4, M7, M33) and with Helium (M55), chosen by the compiler's macros. Layouts: wasm/abi.ts.
 */
#ifndef THIMBLE_KERNELS_H
#define THIMBLE_KERNELS_H

#include <stdint.h>

enum { groupSize = 32, outputTile = 8, blockBytes = 136, scalesAt = 128, unitsBytes = 32 };

/*
 * Inputs of a group of 32, 8 bits each. With Helium they are bytes in the order of the nibbles that they meet, for each run of
 * 8 inputs 0 4 1 5, and 16 bytes on 2 6 3 7; elsewhere 16-bit integers in their order.
 */
#if defined(__ARM_FEATURE_MVE)
typedef int8_t input;
static inline uint32_t input_place(uint32_t i) {
  static const uint8_t places[8] = {0, 2, 16, 18, 1, 3, 17, 19};
  return 4 * (i >> 3) + places[i & 7];
}
#else
typedef int16_t input;
static inline uint32_t input_place(uint32_t i) {
  return i;
}
#endif

/* Bytes of 8 outputs of a matrix. */
static inline uint32_t octet_bytes(uint32_t inputs) {
  return (inputs + groupSize - 1) / groupSize * blockBytes + unitsBytes;
}

/* sums[o] = start + Σ n[o][i] · a[i] over one block of a matrix: 8 outputs, 32 inputs, nibbles n unsigned. */
void group_sums(const uint8_t *block, const input *a, int32_t start, int32_t sums[outputTile]);

/*
 * Σ a[i] · b[i]; n is a multiple of 8. Queries a, and keys b of 16 bits, have their dims in the order that `order_dims`
 * leaves, keys of 8 bits their own.
 */
int32_t dot_16(const int16_t *a, const int16_t *b, uint32_t n);
int32_t dot_8(const int16_t *a, const int8_t *b, uint32_t n);

/* Puts dims in the kernels' order: with SMLAD 0 2 1 3 of each four, as its bytes come apart. */
void order_dims(int16_t *x, uint32_t n);

/* sums[i] = Σ_t p[t] · v[t · stride + i] for t < rows and i < n, a multiple of 8. */
void values_16(const int16_t *p, const int16_t *v, uint32_t rows, int32_t stride, uint32_t n, int32_t *sums);
void values_8(const int16_t *p, const int8_t *v, uint32_t rows, int32_t stride, uint32_t n, int32_t *sums);

/* Σ h[i] · E[row][i] of a quartet's row (0 … 3) in the embedding's layout, after its scales; n is a multiple of 32. */
int32_t row_sum(const int8_t *quartet, const int16_t *h, uint32_t row, uint32_t n);

#endif
