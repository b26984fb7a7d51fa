/* See attend.h. For the order of sums: engine.c. */
#include "attend.h"

#include "rows.h"

void quantize(engine *e, const float *x, uint32_t n) {
  float most = greatest(x, n), factor = most > 0 ? 127.0f / most : 0;
  for (uint32_t g = 0; g < n / groupSize; g++, x += groupSize) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < groupSize; i++) {
      int32_t q = rounded(x[i] * factor);
      e->a[g * groupSize + input_place(i)] = (input)q;
      sum += (uint32_t)q;
    }
    e->starts[g] = (int32_t)(0u - 8 * sum);
  }
  e->scale = most * (float)(1.0 / 127.0);
}

/* Sums over all groups are exact (`mostInputs` in wasm/abi.ts); modulo 2³², so that damaged numbers end in wrong ones. */
void multiply(const engine *e, const uint8_t *w, uint32_t inputs, uint32_t outputs, float gain, bool adds, float *y) {
  uint32_t groups = inputs / groupSize;
  for (uint32_t o = 0; o < outputs; o += outputTile, w += unitsBytes) {
    uint32_t total[outputTile] = {0};
    for (uint32_t g = 0; g < groups; g++, w += blockBytes) {
      int32_t sums[outputTile];
      group_sums(w, e->a + g * groupSize, e->starts[g], sums);
      for (int i = 0; i < outputTile; i++) total[i] += (uint32_t)sums[i] * w[scalesAt + i];
    }
    const float *units = (const float *)w;
    for (int i = 0; i < outputTile; i++) {
      float value = (float)(int32_t)total[i] * (units[i] * gain * e->scale);
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

/* The part of keys' or values' matrix that one KV head is. */
static const uint8_t *head_of(const thimble_model *m, const uint8_t *w, uint32_t kvHead) {
  return w + kvHead * (m->headDim / outputTile) * octet_bytes(m->dModel);
}

/* One KV head's key of the row in e->a → e->row; returns its scale. */
static float key_of(engine *e, const block *b, uint32_t kvHead, uint32_t pos, bool rotates) {
  const thimble_model *m = e->m;
  bool small = e->bits == 8;
  multiply(e, head_of(m, b->wk, kvHead), m->dModel, m->headDim, 1, false, e->y);
  head_row(m, e->y, b->kNorm, pos, rotates);
  float scale = quantize_head(e->y, m->headDim, small ? 127 : 0, e->row);
  if (!small) order_dims(e->row, m->headDim);
  return scale;
}

static float value_of_row(engine *e, const block *b, uint32_t kvHead) {
  const thimble_model *m = e->m;
  multiply(e, head_of(m, b->wv, kvHead), m->dModel, m->headDim, 1, false, e->y);
  return quantize_value(e->y, m->headDim, e->bits == 8 ? 127 : 2047, e->row);
}

/* A head's integers, in e->row, as caches have them. */
static void put_row(const engine *e, uint8_t *to) {
  uint32_t n = e->m->headDim;
  if (e->bits == 16) memcpy(to, e->row, 2 * n);
  else
    for (uint32_t i = 0; i < n; i++) to[i] = (uint8_t)e->row[i];
}

void project(engine *e, const block *b, const cache *c, uint32_t row, bool rotates) {
  for (uint32_t h = 0; h < e->m->nKvHeads; h++) {
    *scale_at(e, c, row, false, h) = key_of(e, b, h, row, rotates);
    if (row < c->stored) put_row(e, integers_at(e, c, row, false, h));
  }
  for (uint32_t h = 0; h < e->m->nKvHeads; h++) {
    *scale_at(e, c, row, true, h) = value_of_row(e, b, h);
    if (row < c->stored) put_row(e, integers_at(e, c, row, true, h));
  }
}

/* What a row's keys and values are made of, into e->a. */
static void find_inputs(engine *e, const block *b, const view *view, uint32_t row) {
  if (!view->rotates) {
    get_inputs(e, row);
    return;
  }
  embed(e->m, e->ids[row], e->y);
  rms_norm(e->y, b->norm, e->m->dModel, e->y);
  quantize(e, e->y, e->m->dModel);
}

/* One run of keys or values: integers of 16 or 8 bits with their scales, all of one KV head; strides in integers and floats. */
typedef struct {
  const void *integers;
  const float *scales;
  uint32_t rows, bits;
  int32_t stride, scaleStride;
} run;

/* Run 0 is the row's own cache, the others are the tools'. */
static run run_of(const engine *e, const view *view, uint32_t i, bool isValue, uint32_t kvHead) {
  uint32_t n = e->m->headDim;
  if (i == 0) {
    const cache *c = &view->own;
    return (run){integers_at(e, c, 0, isValue, kvHead), scale_at(e, c, 0, isValue, kvHead), view->keys, e->bits,
                 c->stride / (int32_t)(e->bits / 8), c->scaleStride / 4};
  }
  kept tool = kept_layer(e->m, i - 1, view->layer);
  uint32_t first = kvHead * tool.rows;
  return (run){(isValue ? tool.v : tool.k) + first * n, (isValue ? tool.vScale : tool.kScale) + first, tool.rows, 8,
               (int32_t)n, 1};
}

static uint32_t runs_of(const engine *e, const view *view) {
  return 1 + (view->seesTools ? e->m->nTools : 0);
}

static uint32_t stored_rows(const view *view) {
  return view->own.stored < view->keys ? view->own.stored : view->keys;
}

static int32_t dot(const engine *e, uint32_t bits, const int16_t *q, const void *k) {
  return bits == 8 ? dot_8(q, k, e->m->headDim) : dot_16(q, k, e->m->headDim);
}

/* Scores of one query head over all keys whose integers are stored. */
static void score(const engine *e, const view *view, uint32_t kvHead, const int16_t *q, float qScale, float *scores) {
  float root = 1.4426950408889634f / square_root((float)e->m->headDim);
  for (uint32_t i = 0; i < runs_of(e, view); i++) {
    run r = run_of(e, view, i, false, kvHead);
    uint32_t stored = i ? r.rows : stored_rows(view);
    const uint8_t *k = r.integers;
    for (uint32_t j = 0; j < stored; j++) {
      int32_t sum = dot(e, r.bits, q, k + (int32_t)j * r.stride * (int32_t)(r.bits / 8));
      scores[j] = (float)sum * (r.scales[(int32_t)j * r.scaleStride] * root) * qScale;
    }
    for (uint32_t j = r.rows; j < padded(r.rows, 8); j++) scores[j] = 0;
    scores += padded(r.rows, 8);
  }
}

/* Softmax weights times the value scales as int16 in the scores' place; returns their scale. */
static float softmax(const engine *e, const view *view, uint32_t kvHead, float *all) {
  float sums[4] = {0}, weights[4] = {0}, most = 0, max = -1e30f;
  uint32_t at = 0;
  for (uint32_t i = 0; i < runs_of(e, view); i++) {
    uint32_t rows = i ? kept_layer(e->m, i - 1, view->layer).rows : view->keys;
    for (uint32_t j = 0; j < rows; j++)
      if (all[at + j] > max) max = all[at + j];
    at += padded(rows, 8);
  }
  at = 0;
  for (uint32_t i = 0; i < runs_of(e, view); i++) {
    run r = run_of(e, view, i, true, kvHead);
    float *scores = all + at;
    for (uint32_t j = 0; j < r.rows; j++) {
      float one = exp2_below(scores[j] - max), weight = one * r.scales[(int32_t)j * r.scaleStride];
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
  uint8_t *bytes = (uint8_t *)all;
  for (uint32_t j = 0; j < at; j++) {
    float weight;
    memcpy(&weight, bytes + 4 * j, 4);
    int16_t p = (int16_t)float_bits(weight * factor + magic);
    memcpy(bytes + 2 * j, &p, 2);
  }
  return most / (sum * 32767.0f);
}

static void sum_values(const engine *e, run r, const int16_t *p, uint32_t rows, int32_t *sums) {
  if (r.bits == 8) values_8(p, r.integers, rows, r.stride, e->m->headDim, sums);
  else values_16(p, r.integers, rows, r.stride, e->m->headDim, sums);
}

/* Scores of a KV head's query heads over the keys that are computed again. */
static void score_again(engine *e, const block *b, const view *view, uint32_t kvHead, uint32_t group) {
  uint32_t n = e->m->headDim;
  float root = 1.4426950408889634f / square_root((float)n);
  for (uint32_t t = stored_rows(view); t < view->keys; t++) {
    find_inputs(e, b, view, t);
    float kScale = key_of(e, b, kvHead, t, view->rotates) * root;
    /* In place: bytes never overtake what is read. */
    if (e->bits == 8) put_row(e, (uint8_t *)e->row);
    for (uint32_t h = kvHead * group, j = 0; j < group; h++, j++)
      e->scores[j * e->scoreRows + t] = (float)dot(e, e->bits, e->q + h * n, e->row) * kScale * e->qScales[h];
  }
}

/* Adds the values that are computed again to the sums of a KV head's query heads. */
static void sum_again(engine *e, const block *b, const view *view, uint32_t kvHead, uint32_t group) {
  uint32_t n = e->m->headDim;
  for (uint32_t t = stored_rows(view); t < view->keys; t++) {
    find_inputs(e, b, view, t);
    value_of_row(e, b, kvHead);
    for (uint32_t j = 0; j < group; j++) {
      int16_t p = ((const int16_t *)(e->scores + j * e->scoreRows))[t];
      int32_t *sums = e->sums + j * n;
      for (uint32_t i = 0; i < n; i++) sums[i] = (int32_t)((uint32_t)sums[i] + (uint32_t)(p * e->row[i]));
    }
  }
}

/* The query heads, in e->q, of one KV head over all that they see: e->att. */
static void attend_heads(engine *e, const block *b, const view *view, uint32_t kvHead, uint32_t group) {
  uint32_t n = e->m->headDim;
  int32_t *sums = e->sums + group * n;
  run own = run_of(e, view, 0, true, kvHead);
  score_again(e, b, view, kvHead, group);
  for (uint32_t h = kvHead * group, j = 0; j < group; h++, j++) {
    float *scores = e->scores + j * e->scoreRows;
    score(e, view, kvHead, e->q + h * n, e->qScales[h], scores);
    e->qScales[h] = softmax(e, view, kvHead, scores);
    sum_values(e, own, (const int16_t *)scores, stored_rows(view), e->sums + j * n);
  }
  sum_again(e, b, view, kvHead, group);
  for (uint32_t h = kvHead * group, j = 0; j < group; h++, j++) {
    const int16_t *p = (const int16_t *)(e->scores + j * e->scoreRows);
    float *out = e->att + h * n;
    for (uint32_t d = 0; d < n; d++) out[d] = (float)e->sums[j * n + d] * e->qScales[h];
    for (uint32_t i = 1, at = padded(view->keys, 8); i < runs_of(e, view); i++) {
      run r = run_of(e, view, i, true, kvHead);
      sum_values(e, r, p + at, r.rows, sums);
      for (uint32_t d = 0; d < n; d++) {
        float y = (float)sums[d] * e->qScales[h];
        out[d] = y + out[d];
      }
      at += padded(r.rows, 8);
    }
  }
}

void attend(engine *e, const block *b, const view *view, float *x, uint32_t pos) {
  const thimble_model *m = e->m;
  rms_norm(x, b->norm, m->dModel, e->y);
  quantize(e, e->y, m->dModel);
  multiply(e, b->wq, m->dModel, m->nHeads * m->headDim, 1, false, e->y);
  for (uint32_t h = 0; h < m->nHeads; h++) {
    int16_t *q = e->q + h * m->headDim;
    head_row(m, e->y + h * m->headDim, b->qNorm, pos, view->rotates);
    e->qScales[h] = quantize_head(e->y + h * m->headDim, m->headDim, 0, q);
    order_dims(q, m->headDim);
  }
  for (uint32_t h = 0; h < m->nKvHeads; h++) attend_heads(e, b, view, h, m->nHeads / m->nKvHeads);
  quantize(e, e->att, m->nHeads * m->headDim);
  multiply(e, b->wo, m->nHeads * m->headDim, m->dModel, sigmoid(*b->gate), true, x);
}
