/*
 * The inner loops: exact sums of small integers. One source each in plain C, for cores with the DSP extension (SMLAD:
 * Cortex-M4, M7, M33) and with Helium (M55), chosen by the compiler's macros. Layouts: wasm/abi.ts.
 */
#ifndef THIMBLE_KERNELS_H
#define THIMBLE_KERNELS_H

#include <stdint.h>

enum { groupSize = 32, outputTile = 8, blockBytes = 160, scalesAt = 128 };

/* sums[o] = start + Σ n[o][i] · a[i] over one block of a matrix: 8 outputs, 32 inputs, nibbles n unsigned. */
void group_sums(const uint8_t *block, const int16_t *a, int32_t start, int32_t sums[outputTile]);

/* The same for two rows of inputs. */
void group_sums_2(const uint8_t *block, const int16_t *a, const int16_t *b, int32_t startA, int32_t startB,
                  int32_t sumsA[outputTile], int32_t sumsB[outputTile]);

/* Σ a[i] · b[i]; n is a multiple of 8. */
int32_t dot_16(const int16_t *a, const int16_t *b, uint32_t n);
int32_t dot_8(const int16_t *a, const int8_t *b, uint32_t n);

/* sums[i] = Σ_t p[t] · v[t · n + i] for t < rows and i < n, a multiple of 8. */
void values_16(const int16_t *p, const int16_t *v, uint32_t rows, uint32_t n, int32_t *sums);
void values_8(const int16_t *p, const int8_t *v, uint32_t rows, uint32_t n, int32_t *sums);

/* Σ h[i] · E[row][i] of a quartet's row (0 … 3) in the embedding's layout, after its scales; n is a multiple of 32. */
int32_t row_sum(const int8_t *quartet, const int16_t *h, uint32_t row, uint32_t n);

#endif
