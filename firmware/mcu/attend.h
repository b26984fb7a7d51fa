/* The pieces of a layer for one row: integers times matrices, keys and values, attention. */
#ifndef THIMBLE_ATTEND_H
#define THIMBLE_ATTEND_H

#include "caches.h"

/* x (n) → e->a in 8 bits with a scale, and what the sums of each group start with: nibbles are unsigned. */
void quantize(engine *e, const float *x, uint32_t n);

/* y (outputs) = gain · w · a, or with `adds` on top of y. */
void multiply(const engine *e, const uint8_t *w, uint32_t inputs, uint32_t outputs, float gain, bool adds, float *y);

/* A token's row of the embedding, f32 (dModel). */
void embed(const thimble_model *m, uint32_t id, float *x);

/* Puts keys and values of the row that stands in e->a, at a position, to a row of a cache. */
void project(engine *e, const block *b, const cache *c, uint32_t row, bool rotates);

/* What a row attends to: `keys` rows of its own cache, then every tool's. */
typedef struct {
  cache own;
  uint32_t keys;
  uint32_t layer;  /* of the tools' keys and values */
  bool seesTools;
  bool rotates;    /* by position; else the rows are the request's, and have states */
} view;

/* x += sigmoid(gate) · Attention(Norm(x)) for one row. */
void attend(engine *e, const block *b, const view *view, float *x, uint32_t pos);

#endif
