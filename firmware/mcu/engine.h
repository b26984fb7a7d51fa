/* ids → states → the likeliest id: the network over kept tools. Source: spec, "Tools read apart"; wasm/layers.ts. */
#ifndef THIMBLE_ENGINE_H
#define THIMBLE_ENGINE_H

#include "files.h"
#include "kernels.h"

/* Keys and values of a layer, (nKvHeads, capacity, headDim) integers of 8 or 16 bits, f32 (nKvHeads, capacity) scales. */
typedef struct {
  uint8_t *k, *v;
  float *kScale, *vScale;
} cache;

/* What a call computes in. x: states, f32; hidden: the state of the row that is decoded. */
typedef struct {
  const thimble_model *m;
  uint32_t requestTokens, positions, bits;
  uint32_t keys;   /* rows of the request */
  uint8_t *cross;  /* caches of the decoder layers' cross-attentions, then what follows in turns: */
  uint8_t *rest;   /* x (requestTokens, dModel) and an encoder layer's cache, later the self-attentions' caches */
  float *hidden, *y, *att, *scales;
  input *a;
  int16_t *q;
  int32_t *starts, *sums;
  uint8_t *scores;  /* f32 (keys of all caches in whole octets), then int16 of the same in its place */
} engine;

/* Lays an engine out from `at` on (NULL to measure); returns its bytes, 0 where they are too many. */
uint32_t engine_plan(engine *e, const thimble_model *m, const thimble_limits *limits, uint8_t *at);

/* Request ids against all tools: fills the cross-attentions' caches. */
void engine_prefill(engine *e, const uint16_t *ids, uint32_t n);

/* Runs n ids at positions pos … through the decoder; of all but the last keys and values alone are kept. */
void engine_decode(engine *e, const uint16_t *ids, uint32_t n, uint32_t pos);

/* What an id's logit gains before the likeliest is chosen; NULL for nothing. */
typedef struct {
  double (*of)(const void *from, uint32_t id);
  const void *from;
} gain;

/* The likeliest of the ids that a set allows, the lowest of equals. */
uint32_t engine_pick(engine *e, const uint32_t *allowed, const gain *gain);

/* The contrastive vector of a request's ids, f32 (contrastiveDim), as if no tool were offered. Only for a model with the head. */
void engine_contrast(engine *e, const uint16_t *ids, uint32_t n, float *vector);

#endif
