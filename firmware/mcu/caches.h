/*
 * Keys and values, and where they stand in a call's memory (`rest` in engine.h). A row's integers, of 8 or 16 bits: K then V,
 * (nKvHeads, headDim) each, `rowBytes`; its scales: of K then V, f32 (nKvHeads) each.
 *
 *   prefill  x (requestTokens, dModel) f32 | rows of an encoder layer, integers and scales
 *   then     states | positions →   … free …   ← integers of positions' first layer | ← of the request's rows
 *
 *   states     of each row of the request what its keys and values are made of: dModel inputs of 8 bits, their scales, and
 *              the scales of its rows of all decoder layers
 *   positions  of each id decoded the integers of all decoder layers but the first, then the scales of all
 *
 * Where positions meet what grows from the other end, the last of that goes: such rows are computed again, at each use, from
 * their states or ids, to the same integers.
 */
#ifndef THIMBLE_CACHES_H
#define THIMBLE_CACHES_H

#include "engine.h"

/* Rows of a layer, the first's place and how far it is to the next; integers only of the first `stored` rows. */
typedef struct {
  uint8_t *integers, *scales;
  int32_t stride, scaleStride;
  uint32_t stored;
} cache;

static inline uint32_t row_bytes(const engine *e) {
  return padded(2 * e->m->nKvHeads * e->m->headDim * (e->bits / 8), 4);
}
static inline uint32_t row_scales(const engine *e) {
  return 8 * e->m->nKvHeads;
}

/* The state of a row while the request is encoded, f32 (dModel). */
float *state_at(const engine *e, uint32_t row);

cache encoder_cache(const engine *e);
cache self_cache(const engine *e, uint32_t layer);
cache cross_cache(const engine *e, uint32_t layer);

/* Makes room for a position; says how many of the first layer's rows have integers with it. */
void take_position(engine *e, uint32_t pos);

/* Puts what stands in e->a to a request's row, in the place of the states of rows up to it; and back. */
void keep_inputs(const engine *e, uint32_t row);
void get_inputs(engine *e, uint32_t row);

/* Says of how many rows of the request there is room for integers. */
void start_caches(engine *e, uint32_t keys);

/* Bytes of `rest` at least, and with which nothing is computed twice. */
uint64_t least_rest(const engine *e, uint32_t answerTokens, uint64_t *useful);

static inline float *scale_at(const engine *e, const cache *c, uint32_t row, bool isValue, uint32_t kvHead) {
  return (float *)(c->scales + (int32_t)row * c->scaleStride) + (isValue ? e->m->nKvHeads : 0) + kvHead;
}
static inline uint8_t *integers_at(const engine *e, const cache *c, uint32_t row, bool isValue, uint32_t kvHead) {
  return c->integers + (int32_t)row * c->stride +
         ((isValue ? e->m->nKvHeads : 0) + kvHead) * e->m->headDim * (e->bits / 8);
}

#endif
