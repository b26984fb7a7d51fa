/* See caches.h. */
#include "caches.h"

static uint32_t state_bytes(const engine *e) {
  const thimble_model *m = e->m;
  return padded(m->dModel, 4) + 4 + m->nDecoderLayers * row_scales(e);
}
static uint32_t position_bytes(const engine *e) {
  return (e->m->nDecoderLayers - 1) * row_bytes(e) + e->m->nDecoderLayers * row_scales(e);
}
static uint32_t cross_bytes(const engine *e) {
  return e->m->nDecoderLayers * row_bytes(e);
}

/* A state's place becomes that of its inputs, which may be the longer. */
static uint32_t state_stride(const engine *e) {
  uint32_t bytes = 4 * e->m->dModel;
  return state_bytes(e) > bytes ? state_bytes(e) : bytes;
}

uint64_t least_rest(const engine *e, uint32_t answerTokens, uint64_t *useful) {
  uint64_t rows = e->requestTokens;
  uint64_t prefill = rows * ((uint64_t)state_stride(e) + row_bytes(e) + row_scales(e));
  uint64_t answer = rows * state_bytes(e) + (uint64_t)answerTokens * position_bytes(e);
  *useful = answer + rows * cross_bytes(e) + (uint64_t)answerTokens * row_bytes(e);
  if (prefill > *useful) *useful = prefill;
  return prefill > answer ? prefill : answer;
}

float *state_at(const engine *e, uint32_t row) {
  return (float *)(e->rest + row * state_stride(e));
}

cache encoder_cache(const engine *e) {
  int32_t stride = (int32_t)(row_bytes(e) + row_scales(e));
  uint8_t *at = e->rest + e->requestTokens * state_stride(e);
  return (cache){at, at + row_bytes(e), stride, stride, e->requestTokens};
}

static uint8_t *positions_at(const engine *e) {
  return e->rest + e->keys * state_bytes(e);
}

cache self_cache(const engine *e, uint32_t layer) {
  int32_t stride = (int32_t)position_bytes(e), row = (int32_t)row_bytes(e);
  uint8_t *at = positions_at(e), *scales = at + (e->m->nDecoderLayers - 1) * row_bytes(e) + layer * row_scales(e);
  if (layer) return (cache){at + (layer - 1) * row_bytes(e), scales, stride, stride, UINT32_MAX};
  return (cache){e->rest + e->restBytes - e->crossRows * cross_bytes(e) - row, scales, -row, stride, e->firstRows};
}

cache cross_cache(const engine *e, uint32_t layer) {
  uint32_t bytes = cross_bytes(e), inputs = state_bytes(e) - e->m->nDecoderLayers * row_scales(e);
  return (cache){e->rest + e->restBytes - bytes + layer * row_bytes(e), e->rest + inputs + layer * row_scales(e),
                 -(int32_t)bytes, (int32_t)state_bytes(e), e->crossRows};
}

void start_caches(engine *e, uint32_t keys) {
  uint32_t room = (e->restBytes - keys * state_bytes(e)) / cross_bytes(e);
  e->keys = keys;
  e->crossRows = room < keys ? room : keys;
  e->firstRows = 0;
}

void take_position(engine *e, uint32_t pos) {
  uint32_t room = e->restBytes - e->keys * state_bytes(e) - (pos + 1) * position_bytes(e);
  while (e->firstRows * row_bytes(e) + e->crossRows * cross_bytes(e) > room) {
    if (e->firstRows) e->firstRows--;
    else e->crossRows--;
  }
  if (e->firstRows == pos && (pos + 1) * row_bytes(e) + e->crossRows * cross_bytes(e) <= room) e->firstRows++;
}

void keep_inputs(const engine *e, uint32_t row) {
  uint32_t n = e->m->dModel;
  uint8_t *at = e->rest + row * state_bytes(e);
  for (uint32_t i = 0; i < n; i++) at[i] = (uint8_t)e->a[i];
  memcpy(at + padded(n, 4), &e->scale, 4);
}

void get_inputs(engine *e, uint32_t row) {
  uint32_t n = e->m->dModel;
  const uint8_t *at = e->rest + row * state_bytes(e);
  for (uint32_t g = 0; g < n / groupSize; g++) {
    uint32_t sum = 0;
    for (uint32_t i = g * groupSize; i < (g + 1) * groupSize; i++) sum += (uint32_t)(e->a[i] = (int8_t)at[i]);
    e->starts[g] = (int32_t)(0u - 8 * sum);
  }
  memcpy(&e->scale, at + padded(n, 4), 4);
}
