/* ids → states → the likeliest id: the network over kept tools. Source: spec, "Tools read apart"; wasm/layers.ts. */
#ifndef THIMBLE_ENGINE_H
#define THIMBLE_ENGINE_H

#include "files.h"
#include "kernels.h"

/* What a call computes in. `rest` is drawn in caches.h; all that follows it is of use within one of the functions below. */
typedef struct {
  const thimble_model *m;
  uint32_t requestTokens, bits;
  uint32_t keys;        /* rows of the request */
  uint8_t *rest;
  uint32_t restBytes;
  uint32_t usefulBytes; /* of `rest`, with which nothing is computed twice */
  uint32_t crossRows, firstRows;  /* rows whose integers are stored: of the request, and of the decoder's first layer */
  const uint16_t *ids;  /* of the decoder's positions */
  uint8_t *shared;      /* the caller's between these functions */
  float *hidden;        /* the state of the row that is decoded */
  float *y, *att, *qScales;
  float scale; /* of the inputs in `a` */
  input *a;
  int16_t *q, *row;
  int32_t *starts, *sums;
  float *scores;        /* (nHeads / nKvHeads, scoreRows), then int16 of the same in its place */
  uint32_t scoreRows;
} engine;

/*
 * Lays an engine out from `at` on (NULL to measure): what it needs and `spare` bytes, and in the place of what it works in
 * `shared` bytes for the caller. Returns its bytes, 0 where they are too many.
 */
uint32_t engine_plan(engine *e, const thimble_model *m, const thimble_limits *limits, uint32_t shared, uint32_t spare,
                     uint8_t *at);

/* Request ids against all tools: fills the cross-attentions' caches. */
void engine_prefill(engine *e, const uint16_t *ids, uint32_t n);

/*
 * Runs n ids at positions pos … through the decoder; of all but the last keys and values alone are kept. The ids of earlier
 * positions stand before them.
 */
void engine_decode(engine *e, const uint16_t *ids, uint32_t n, uint32_t pos);

/* What an id's logit gains before the likeliest is chosen; NULL for nothing. */
typedef struct {
  double (*of)(const void *from, uint32_t id);
  const void *from;
} gain;

/* The likeliest id and the next, the lower of equals, and the likeliest without gains; how far the first two are apart and how likely the first is, by logits. */
typedef struct {
  uint32_t id, second, plain;
  float margin, logProb;
} choice;

/* Picks among the ids that a set allows. */
choice engine_pick(engine *e, const uint32_t *allowed, const gain *gain);

/* The contrastive vector of a request's ids, f32 (contrastiveDim), as if no tool were offered. Only for a model with the head. */
void engine_contrast(engine *e, const uint16_t *ids, uint32_t n, float *vector);

#endif
