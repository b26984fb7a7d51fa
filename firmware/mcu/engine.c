/*
 * See engine.h. Sums of floats run in the order of the generated kernels' scalar build, four lanes where those have four, so
 * that states and tokens are the same to the bit where the compiler does not fuse (-ffp-contract=off).
 */
#include "small.h"

#include "engine.h"

#include <math.h>

#include "attend.h"
#include "rows.h"

/* A row of the embedding's blocks of four: after 4 scales, 16 bytes for every 4 dims (`embeddingBytes` in wasm/abi.ts). */
static const uint8_t *quartet(const thimble_model *m, uint32_t id) {
  return embedding_table(m) + (id >> 2) * (16 + 4 * m->dModel);
}

void embed(const thimble_model *m, uint32_t id, float *x) {
  const uint8_t *at = quartet(m, id);
  float scale = ((const float *)at)[id & 3] * square_root((float)m->dModel);
  const int8_t *row = (const int8_t *)at + 16 + 2 * (id & 3);
  for (uint32_t i = 0; i < m->dModel; i += 2, row += 8) {
    x[i] = (float)row[0] * scale;
    x[i + 1] = (float)row[1] * scale;
  }
}

/* The encoder: leaves the states of n ids after the final norm. */
static void encode(engine *e, const uint16_t *ids, uint32_t n, bool seesTools) {
  const thimble_model *m = e->m;
  view view = {encoder_cache(e), n, 0, seesTools, true};
  for (uint32_t t = 0; t < n; t++) embed(m, ids[t], state_at(e, t));
  for (; view.layer < m->nEncoderLayers; view.layer++) {
    block b = encoder_block(m, view.layer);
    for (uint32_t t = 0; t < n; t++) {
      rms_norm(state_at(e, t), b.norm, m->dModel, e->y);
      quantize(e, e->y, m->dModel);
      project(e, &b, &view.own, t, true);
    }
    for (uint32_t t = 0; t < n; t++) attend(e, &b, &view, state_at(e, t), t);
  }
  for (uint32_t t = 0; t < n; t++) rms_norm(state_at(e, t), encoder_norm(m), m->dModel, state_at(e, t));
}

void engine_contrast(engine *e, const uint16_t *ids, uint32_t n, float *vector) {
  const thimble_model *m = e->m;
  encode(e, ids, n, false);
  head head = contrastive_head(m);
  uint32_t width = padded(m->contrastiveHidden, groupSize);
  float share = 1.0f / (float)n, sum = 0;
  for (uint32_t i = 0; i < m->dModel; i++) {
    float all = 0;
    for (uint32_t t = 0; t < n; t++) all = all + state_at(e, t)[i];
    e->y[i] = all * share;
  }
  quantize(e, e->y, m->dModel);
  multiply(e, head.hidden, m->dModel, m->contrastiveHidden, 1, false, e->y);
  for (uint32_t i = 0; i < width; i++) {
    float value = i < m->contrastiveHidden ? e->y[i] + head.bias[i] : 0;
    e->y[i] = value > 0 ? value : 0;
  }
  quantize(e, e->y, width);
  multiply(e, head.proj, width, m->contrastiveDim, 1, false, e->att);
  for (uint32_t i = 0; i < m->contrastiveDim; i++) sum = sum + e->att[i] * e->att[i];
  float inverse = 1.0f / square_root(sum + 1e-12f);
  for (uint32_t i = 0; i < m->contrastiveDim; i++) vector[i] = e->att[i] * inverse;
}

void engine_prefill(engine *e, const uint16_t *ids, uint32_t n) {
  const thimble_model *m = e->m;
  encode(e, ids, n, true);
  for (uint32_t t = 0; t < n; t++) {
    quantize(e, state_at(e, t), m->dModel);
    keep_inputs(e, t);
  }
  start_caches(e, n);
  for (uint32_t layer = 0; layer < m->nDecoderLayers; layer++) {
    block b = cross_block(m, layer);
    cache cross = cross_cache(e, layer);
    for (uint32_t t = 0; t < n; t++) {
      get_inputs(e, t);
      project(e, &b, &cross, t, false);
    }
  }
}

static void step(engine *e, uint32_t pos, bool last) {
  const thimble_model *m = e->m;
  float *x = e->hidden;
  embed(m, e->ids[pos], x);
  take_position(e, pos);
  for (uint32_t layer = 0; layer < m->nDecoderLayers; layer++) {
    block self = self_block(m, layer), cross = cross_block(m, layer);
    view before = {self_cache(e, layer), pos + 1, 0, false, true};
    rms_norm(x, self.norm, m->dModel, e->y);
    quantize(e, e->y, m->dModel);
    project(e, &self, &before.own, pos, true);
    /* Nothing reads what the last layer makes of earlier ids. */
    if (!last && layer + 1 == m->nDecoderLayers) break;
    attend(e, &self, &before, x, pos);
    view shown = {cross_cache(e, layer), e->keys, m->nEncoderLayers + layer, true, false};
    attend(e, &cross, &shown, x, 0);
  }
}

void engine_decode(engine *e, const uint16_t *ids, uint32_t n, uint32_t pos) {
  e->ids = ids - pos;
  for (uint32_t t = 0; t < n; t++) step(e, pos + t, t + 1 == n);
}

choice engine_pick(engine *e, const uint32_t *allowed, const gain *gain) {
  const thimble_model *m = e->m;
  float *x = e->hidden, most = -INFINITY, next = -INFINITY, plain = -INFINITY, sum = 0;
  rms_norm(x, decoder_norm(m), m->dModel, x);
  float hScale = quantize_head(x, m->dModel, 0, e->q);
  choice c = {0};
  bool any = false;
  for (uint32_t id = 0; id < m->vocabSize; id++) {
    if (!(id & 31) && !allowed[id >> 5]) id += 31;
    else if (allowed[id >> 5] >> (id & 31) & 1) {
      const uint8_t *at = quartet(m, id);
      float value = (float)row_sum((const int8_t *)at + 16, e->q, id & 3, m->dModel) * ((const float *)at)[id & 3] * hScale;
      if (!any || value > plain) {
        c.plain = id;
        plain = value;
      }
      if (gain) value = (float)(value + gain->of(gain->from, id));
      if (!any || value > most) {
        sum = any ? sum * exponential(most - value) + 1 : 1;
        c.second = c.id;
        next = most;
        c.id = id;
        most = value;
        any = true;
        continue;
      }
      sum = sum + exponential(value - most);
      if (!(value > next)) continue;
      c.second = id;
      next = value;
    }
  }
  c.margin = most - next;
  c.logProb = -logarithm(sum);
  return c;
}

/* Takes bytes at a multiple of 16. */
static void *take(uint8_t *start, uint64_t *at, uint64_t bytes) {
  uint8_t *here = start ? start + *at : NULL;
  *at += (bytes + 15) / 16 * 16;
  return here;
}

uint32_t engine_plan(engine *e, const thimble_model *m, const thimble_limits *limits, uint32_t shared, uint32_t spare,
                     uint8_t *start) {
  /* Rows are as wide as the widest of states, the head's inner ones and its vector. */
  uint32_t width = m->dModel, head = m->contrastiveHidden > m->contrastiveDim ? m->contrastiveHidden : m->contrastiveDim;
  uint32_t group = m->nHeads / m->nKvHeads, most = limits->requestTokens;
  if (padded(head, groupSize) > width) width = padded(head, groupSize);
  if (limits->answerTokens > most) most = limits->answerTokens;
  *e = (engine){.m = m, .requestTokens = limits->requestTokens, .bits = limits->cacheBits};
  e->scoreRows = padded(most, 8) + m->toolRows;
  uint64_t at = 0, useful, rest = least_rest(e, limits->answerTokens, &useful) + spare;
  if (useful > UINT32_MAX / 2) return 0;
  e->usefulBytes = (uint32_t)useful;
  e->restBytes = (uint32_t)((rest + 15) / 16 * 16);
  e->rest = take(start, &at, rest);
  uint64_t first = at;
  e->shared = start ? start + at : NULL;
  e->hidden = take(start, &at, 4 * width);
  e->y = take(start, &at, 4 * width);
  e->att = take(start, &at, 4 * width);
  e->starts = take(start, &at, 4 * width / groupSize);
  e->a = take(start, &at, sizeof(input) * width);
  e->q = take(start, &at, 2 * width);
  e->qScales = take(start, &at, 4 * m->nHeads);
  e->row = take(start, &at, 2 * m->headDim);
  e->sums = take(start, &at, 4 * (group + 1) * m->headDim);
  e->scores = take(start, &at, 4ull * group * e->scoreRows);
  if (at < first + shared) at = first + (shared + 15) / 16 * 16;
  return at > UINT32_MAX / 2 ? 0 : (uint32_t)at;
}
