/*
 * See engine.h. Sums of floats run in the order of the generated kernels' scalar build, four lanes where those have four, so
 * that states and tokens are the same to the bit where the compiler does not fuse (-ffp-contract=off).
 */
#include "engine.h"

#include "kernels.h"
#include "rows.h"

/* x (n) → e->a in 8 bits with a scale a group, and what the sums of each group start with: nibbles are unsigned. */
static void quantize(engine *e, const float *x, uint32_t n) {
  for (uint32_t g = 0; g < n / groupSize; g++, x += groupSize) {
    float most = greatest(x, groupSize), factor = most > 0 ? 127.0f / most : 0;
    uint32_t sum = 0;
    for (uint32_t i = 0; i < groupSize; i++) {
      int32_t q = rounded(x[i] * factor);
      e->a[g * groupSize + input_place(i)] = (input)q;
      sum += (uint32_t)q;
    }
    e->starts[g] = (int32_t)(0u - 8 * sum);
    e->scales[g] = most * (float)(1.0 / 127.0);
  }
}

/* y (outputs) = gain · w · a, or with `adds` on top of y. */
static void multiply(const engine *e, const uint8_t *w, uint32_t inputs, uint32_t outputs, float gain, bool adds, float *y) {
  uint32_t groups = inputs / groupSize;
  for (uint32_t o = 0; o < outputs; o += outputTile) {
    float total[outputTile] = {0};
    for (uint32_t g = 0; g < groups; g++, w += blockBytes) {
      int32_t sums[outputTile];
      group_sums(w, e->a + g * groupSize, e->starts[g], sums);
      const float *scale = (const float *)(w + scalesAt);
      for (int i = 0; i < outputTile; i++) total[i] = (float)sums[i] * (scale[i] * e->scales[g]) + total[i];
    }
    for (int i = 0; i < outputTile; i++) {
      float value = total[i] * gain;
      y[o + i] = adds ? value + y[o + i] : value;
    }
  }
}

/* Rotates one head in place by the table's row of a position. */
static void rotate(const thimble_model *m, float *x, uint32_t pos) {
  uint32_t half = m->headDim / 2;
  const float *cosines = (const float *)m->parts[part_rope].at + pos * m->headDim, *sines = cosines + half;
  for (uint32_t i = 0; i < half; i++) {
    float a = x[i], b = x[half + i];
    x[i] = a * cosines[i] - b * sines[i];
    x[half + i] = b * cosines[i] + a * sines[i];
  }
}

static void head_row(const thimble_model *m, float *x, const float *norm, uint32_t pos, bool rotates) {
  rms_norm(x, norm, m->headDim, x);
  if (rotates) rotate(m, x, pos);
}

static uint32_t integers_bytes(const engine *e, uint32_t capacity) {
  return padded(e->m->nKvHeads * capacity * e->m->headDim * (e->bits / 8), 4);
}
static uint32_t cache_bytes(const engine *e, uint32_t capacity) {
  return 2 * (integers_bytes(e, capacity) + 4 * e->m->nKvHeads * capacity);
}
static cache cache_at(const engine *e, uint8_t *at, uint32_t capacity) {
  uint32_t integers = integers_bytes(e, capacity), scales = 4 * e->m->nKvHeads * capacity;
  return (cache){at, at + integers, (float *)(at + 2 * integers), (float *)(at + 2 * integers + scales)};
}

/* Puts a head's integers, in e->q, to their place. */
static void store(const engine *e, uint8_t *integers, uint32_t row) {
  uint32_t n = e->m->headDim;
  if (e->bits == 16) memcpy(integers + 2 * row * n, e->q, 2 * n);
  else
    for (uint32_t i = 0; i < n; i++) ((int8_t *)integers)[row * n + i] = (int8_t)e->q[i];
}

/* Keys and values of the row that stands in e->a, at a position of a cache. */
static void project(engine *e, const block *b, cache c, uint32_t capacity, uint32_t pos, bool rotates) {
  const thimble_model *m = e->m;
  bool small = e->bits == 8;
  multiply(e, b->wk, m->dModel, m->nKvHeads * m->headDim, 1, false, e->y);
  for (uint32_t h = 0; h < m->nKvHeads; h++) {
    head_row(m, e->y + h * m->headDim, b->kNorm, pos, rotates);
    c.kScale[h * capacity + pos] = quantize_head(e->y + h * m->headDim, m->headDim, small ? 127 : 0, e->q);
    if (!small) order_dims(e->q, m->headDim);
    store(e, c.k, h * capacity + pos);
  }
  multiply(e, b->wv, m->dModel, m->nKvHeads * m->headDim, 1, false, e->y);
  for (uint32_t h = 0; h < m->nKvHeads; h++) {
    c.vScale[h * capacity + pos] = quantize_value(e->y + h * m->headDim, m->headDim, small ? 127 : 2047, e->q);
    store(e, c.v, h * capacity + pos);
  }
}

/* What a row attends to: its own cache, then every tool's. */
typedef struct {
  cache own;
  uint32_t capacity, keys;
  uint32_t layer;   /* of the tools' keys and values */
  bool seesTools;
} view;

/* One run of keys: integers of 16 or 8 bits with their scales, all of one KV head. */
typedef struct {
  const void *k, *v;
  const float *kScale, *vScale;
  uint32_t rows, bits;
} run;

static run run_of(const engine *e, const view *view, uint32_t i, uint32_t kvHead) {
  uint32_t n = e->m->headDim;
  if (i == 0) {
    uint32_t first = kvHead * view->capacity, bytes = first * n * (e->bits / 8);
    return (run){view->own.k + bytes, view->own.v + bytes, view->own.kScale + first, view->own.vScale + first,
                 view->keys, e->bits};
  }
  kept tool = kept_layer(e->m, i - 1, view->layer);
  uint32_t first = kvHead * tool.rows;
  return (run){tool.k + first * n, tool.v + first * n, tool.kScale + first, tool.vScale + first, tool.rows, 8};
}

/* Softmax weights times the value scales as int16 in the scores' place; returns their scale. */
static float softmax(const engine *e, const view *view, uint32_t runs, uint32_t kvHead, float max) {
  float sums[4] = {0}, weights[4] = {0}, most = 0;
  uint32_t at = 0;
  for (uint32_t i = 0; i < runs; i++) {
    run r = run_of(e, view, i, kvHead);
    float *scores = (float *)e->scores + at;
    for (uint32_t j = 0; j < r.rows; j++) {
      float one = exp2_below(scores[j] - max), weight = one * r.vScale[j];
      sums[j & 3] = sums[j & 3] + one;
      weights[j & 3] = weights[j & 3] + weight;
      if (weight > most) most = weight;
      scores[j] = weight;
    }
    at += padded(r.rows, 8);
  }
  float sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  float share = ((weights[0] + weights[1]) + (weights[2] + weights[3])) * (1.0f / 32.0f);
  if (share > most) most = share;
  float factor = most > 0 ? 32767.0f / most : 0;
  for (uint32_t j = 0; j < at; j++) {
    float weight;
    memcpy(&weight, e->scores + 4 * j, 4);
    int16_t p = (int16_t)float_bits(weight * factor + magic);
    memcpy(e->scores + 2 * j, &p, 2);
  }
  return most / (sum * 32767.0f);
}

/* One query head, in e->q, over all that it sees: out (headDim). */
static void attend_head(engine *e, const view *view, uint32_t kvHead, float qScale, float *out) {
  const thimble_model *m = e->m;
  uint32_t n = m->headDim, runs = 1 + (view->seesTools ? m->nTools : 0), at = 0;
  float root = 1.4426950408889634f / square_root((float)n), max = -1e30f;
  for (uint32_t i = 0; i < runs; i++) {
    run r = run_of(e, view, i, kvHead);
    float *scores = (float *)e->scores + at;
    for (uint32_t j = 0; j < r.rows; j++) {
      int32_t sum = r.bits == 8 ? dot_8(e->q, (const int8_t *)r.k + j * n, n) : dot_16(e->q, (const int16_t *)r.k + j * n, n);
      scores[j] = (float)sum * (r.kScale[j] * root) * qScale;
      if (scores[j] > max) max = scores[j];
    }
    for (uint32_t j = r.rows; j < padded(r.rows, 8); j++) scores[j] = 0;
    at += padded(r.rows, 8);
  }
  float pScale = softmax(e, view, runs, kvHead, max);
  const int16_t *p = (const int16_t *)e->scores;
  for (uint32_t i = 0; i < runs; i++) {
    run r = run_of(e, view, i, kvHead);
    if (r.bits == 8) values_8(p, r.v, r.rows, n, e->sums);
    else values_16(p, r.v, r.rows, n, e->sums);
    for (uint32_t d = 0; d < n; d++) {
      float y = (float)e->sums[d] * pScale;
      out[d] = i ? y + out[d] : y;
    }
    p += padded(r.rows, 8);
  }
}

/* x += sigmoid(gate) · Attention(Norm(x)) for one row. */
static void attend(engine *e, const block *b, const view *view, float *x, uint32_t pos, bool rotates) {
  const thimble_model *m = e->m;
  rms_norm(x, b->norm, m->dModel, e->y);
  quantize(e, e->y, m->dModel);
  multiply(e, b->wq, m->dModel, m->nHeads * m->headDim, 1, false, e->y);
  for (uint32_t h = 0; h < m->nHeads; h++) {
    float *head = e->y + h * m->headDim;
    head_row(m, head, b->qNorm, pos, rotates);
    float qScale = quantize_head(head, m->headDim, 0, e->q);
    order_dims(e->q, m->headDim);
    attend_head(e, view, h * m->nKvHeads / m->nHeads, qScale, e->att + h * m->headDim);
  }
  quantize(e, e->att, m->nHeads * m->headDim);
  multiply(e, b->wo, m->nHeads * m->headDim, m->dModel, sigmoid(*b->gate), true, x);
}

/* A row of the embedding's blocks of four: after 4 scales, 16 bytes for every 4 dims (`embeddingBytes` in wasm/abi.ts). */
static const uint8_t *quartet(const thimble_model *m, uint32_t id) {
  return embedding_table(m) + (id >> 2) * (16 + 4 * m->dModel);
}

static void embed(const thimble_model *m, uint32_t id, float *x) {
  const uint8_t *at = quartet(m, id);
  float scale = ((const float *)at)[id & 3] * square_root((float)m->dModel);
  const int8_t *row = (const int8_t *)at + 16 + 2 * (id & 3);
  for (uint32_t i = 0; i < m->dModel; i += 2, row += 8) {
    x[i] = (float)row[0] * scale;
    x[i + 1] = (float)row[1] * scale;
  }
}

/* The encoder: leaves the states of n ids after the final norm where x is. */
static float *encode(engine *e, const uint16_t *ids, uint32_t n, bool seesTools) {
  const thimble_model *m = e->m;
  uint32_t capacity = e->requestTokens;
  float *x = (float *)e->rest;
  cache own = cache_at(e, e->rest + 4 * capacity * m->dModel, capacity);
  for (uint32_t t = 0; t < n; t++) embed(m, ids[t], x + t * m->dModel);
  for (uint32_t layer = 0; layer < m->nEncoderLayers; layer++) {
    block b = encoder_block(m, layer);
    for (uint32_t t = 0; t < n; t++) {
      rms_norm(x + t * m->dModel, b.norm, m->dModel, e->y);
      quantize(e, e->y, m->dModel);
      project(e, &b, own, capacity, t, true);
    }
    view view = {own, capacity, n, layer, seesTools};
    for (uint32_t t = 0; t < n; t++) attend(e, &b, &view, x + t * m->dModel, t, true);
  }
  for (uint32_t t = 0; t < n; t++) rms_norm(x + t * m->dModel, encoder_norm(m), m->dModel, x + t * m->dModel);
  return x;
}

void engine_contrast(engine *e, const uint16_t *ids, uint32_t n, float *vector) {
  const thimble_model *m = e->m;
  const float *x = encode(e, ids, n, false);
  head head = contrastive_head(m);
  uint32_t width = padded(m->contrastiveHidden, groupSize);
  float share = 1.0f / (float)n, sum = 0;
  for (uint32_t i = 0; i < m->dModel; i++) {
    float all = 0;
    for (uint32_t t = 0; t < n; t++) all = all + x[t * m->dModel + i];
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
  uint32_t capacity = e->requestTokens;
  const float *x = encode(e, ids, n, true);
  for (uint32_t layer = 0; layer < m->nDecoderLayers; layer++) {
    block b = cross_block(m, layer);
    cache cross = cache_at(e, e->cross + layer * cache_bytes(e, capacity), capacity);
    for (uint32_t t = 0; t < n; t++) {
      quantize(e, x + t * m->dModel, m->dModel);
      project(e, &b, cross, capacity, t, false);
    }
  }
  e->keys = n;
}

static void step(engine *e, uint32_t id, uint32_t pos, bool last) {
  const thimble_model *m = e->m;
  float *x = e->hidden;
  embed(m, id, x);
  for (uint32_t layer = 0; layer < m->nDecoderLayers; layer++) {
    block self = self_block(m, layer), cross = cross_block(m, layer);
    cache own = cache_at(e, e->rest + layer * cache_bytes(e, e->positions), e->positions);
    rms_norm(x, self.norm, m->dModel, e->y);
    quantize(e, e->y, m->dModel);
    project(e, &self, own, e->positions, pos, true);
    /* Nothing reads what the last layer makes of earlier ids. */
    if (!last && layer + 1 == m->nDecoderLayers) break;
    view before = {own, e->positions, pos + 1, 0, false};
    attend(e, &self, &before, x, pos, true);
    cache request = cache_at(e, e->cross + layer * cache_bytes(e, e->requestTokens), e->requestTokens);
    view shown = {request, e->requestTokens, e->keys, m->nEncoderLayers + layer, true};
    attend(e, &cross, &shown, x, 0, false);
  }
}

void engine_decode(engine *e, const uint16_t *ids, uint32_t n, uint32_t pos) {
  for (uint32_t t = 0; t < n; t++) step(e, ids[t], pos + t, t + 1 == n);
}

uint32_t engine_pick(engine *e, const uint32_t *allowed, const gain *gain) {
  const thimble_model *m = e->m;
  float *x = e->hidden, most = 0;
  rms_norm(x, decoder_norm(m), m->dModel, x);
  float hScale = quantize_head(x, m->dModel, 0, e->q);
  uint32_t best = 0;
  bool any = false;
  for (uint32_t id = 0; id < m->vocabSize; id++) {
    if (!(id & 31) && !allowed[id >> 5]) id += 31;
    else if (allowed[id >> 5] >> (id & 31) & 1) {
      const uint8_t *at = quartet(m, id);
      float value = (float)row_sum((const int8_t *)at + 16, e->q, id & 3, m->dModel) * ((const float *)at)[id & 3] * hScale;
      if (gain) value = (float)(value + gain->of(gain->from, id));
      if (any && !(value > most)) continue;
      most = value;
      best = id;
      any = true;
    }
  }
  return best;
}

/* Takes bytes at a multiple of 16. */
static void *take(uint8_t *start, uint64_t *at, uint64_t bytes) {
  uint8_t *here = start ? start + *at : NULL;
  *at += (bytes + 15) / 16 * 16;
  return here;
}

uint32_t engine_plan(engine *e, const thimble_model *m, const thimble_limits *limits, uint8_t *start) {
  uint64_t at = 0;
  /* Rows are as wide as the widest of states, the head's inner ones and its vector. */
  uint32_t width = m->dModel, head = m->contrastiveHidden > m->contrastiveDim ? m->contrastiveHidden : m->contrastiveDim;
  if (padded(head, groupSize) > width) width = padded(head, groupSize);
  *e = (engine){.m = m, .requestTokens = limits->requestTokens, .positions = limits->answerTokens + 1u,
                .bits = limits->cacheBits};
  uint64_t keys = padded(e->requestTokens > e->positions ? e->requestTokens : e->positions, 8) + (uint64_t)m->toolRows;
  uint64_t request = cache_bytes(e, e->requestTokens), prefill = 4ull * e->requestTokens * m->dModel + request;
  uint64_t answer = (uint64_t)m->nDecoderLayers * cache_bytes(e, e->positions);
  e->cross = take(start, &at, m->nDecoderLayers * request);
  e->rest = take(start, &at, prefill > answer ? prefill : answer);
  e->hidden = take(start, &at, 4 * width);
  e->y = take(start, &at, 4 * width);
  e->att = take(start, &at, 4 * width);
  e->scales = take(start, &at, 4 * width / groupSize);
  e->starts = take(start, &at, 4 * width / groupSize);
  e->a = take(start, &at, sizeof(input) * width);
  e->q = take(start, &at, 2 * width);
  e->sums = take(start, &at, 4 * m->headDim);
  e->scores = take(start, &at, 4 * keys);
  return at > UINT32_MAX / 2 ? 0 : (uint32_t)at;
}
