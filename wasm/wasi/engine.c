/*
 * firmware/mcu/engine.h over the generated kernels (wasm/abi.ts), which are merged with the host: the same ids and states as
 * the runtime's, with vectors. Kept tools are laid out for the kernels once, in the arena.
 */
#include "engine.h"
#include "rows.h"

#define KERNEL(name) __attribute__((import_module("kernels"), import_name(#name))) void name
typedef uint32_t at;
KERNEL(embed)(at session, at table, at ids, uint32_t n, at x);
KERNEL(encoder_kv)(at session, at block, at cache, at x, uint32_t pos, uint32_t n);
KERNEL(encoder_attend)(at session, at block, at cache, at x, uint32_t pos, uint32_t n, uint32_t keys, at runs);
KERNEL(final_norm)(at session, at norm, at x, uint32_t n);
KERNEL(cross_kv)(at session, at block, at cache, at x, uint32_t pos, uint32_t n);
KERNEL(decoder_layer)(at session, at self, at selfCache, at cross, at crossCache, at x, uint32_t pos, uint32_t n,
                      uint32_t keys, uint32_t from, at runs);
KERNEL(logits)(at session, at table, at h, at mask, at out);
KERNEL(contrastive)(at session, at head, at x, uint32_t n, at out);
__attribute__((import_module("kernels"), import_name("argmax"))) uint32_t argmax(at values, uint32_t n, at summary);

enum { tileRows = 4, octet = 8, stepRows = 32, inputBlockBytes = 272, groupBytes = 16 };

/* The kernels' records, field by field as wasm/abi.ts has them. */
typedef struct {
  uint32_t dModel, nHeads, nKvHeads, headDim, vocabSize;
  at rope;
  uint32_t yWidth;
  at y, a, q, qScale;
  uint32_t keyCapacity;
  at scores, p, pScale, vScale, att;
} session_record;
typedef struct {
  at norm, gate, qNorm, kNorm, wq, wk, wv, wo;
} block_record;
typedef struct {
  at k, v, kScale, vScale;
  uint32_t capacity, keys, most;
} cache_record;

typedef struct {
  at hidden, bias, proj;
  uint32_t hiddenDim, outDim;
} head_record;

typedef struct {
  float most, next;
  uint32_t second;
  float sum;
} summary_record;

/* What a model and its limits were laid out as: in the module's own memory, beside the engine of firmware/mcu. */
static struct {
  session_record session;
  const thimble_model *model;
  uint8_t *arena;
  block_record *encoder, *self, *cross;
  cache_record encoderCache, *selfCaches, *crossCaches, *toolCaches;
  uint32_t *encoderRuns, *crossRuns;  /* a layer's after another: number of tools, their caches */
  at x, step, ids, logits, summary;
} plan;

/* Pieces of the arena, at multiples of 16; with `start` NULL they are measured. */
typedef struct {
  uint8_t *start;
  uint64_t at;
} room;

static void *take(room *r, uint64_t bytes) {
  void *here = r->start ? r->start + r->at : NULL;
  r->at += (bytes + 15) / 16 * 16;
  return here;
}
static at take_at(room *r, uint64_t bytes) {
  return (at)take(r, bytes);
}

static block_record block_of(block b) {
  return (block_record){(at)b.norm, (at)b.gate, (at)b.qNorm, (at)b.kNorm, (at)b.wq, (at)b.wk, (at)b.wv, (at)b.wo};
}

static cache_record take_cache(room *r, const thimble_model *m, uint32_t rows) {
  uint32_t capacity = padded(rows, octet), integers = m->nKvHeads * capacity * m->headDim * 2;
  uint32_t scales = m->nKvHeads * capacity * 4;
  cache_record c = {0, 0, 0, 0, capacity, rows, 0};
  c.k = take_at(r, integers);
  c.v = take_at(r, integers);
  c.kScale = take_at(r, scales);
  c.vScale = take_at(r, scales);
  return c;
}

/* A kept layer's 8 bits into the kernels' order (`cacheRecord` in wasm/abi.ts; runtime/kept/form.ts). */
static void lay_out(const thimble_model *m, kept tool, cache_record c) {
  int16_t *k = (int16_t *)c.k, *v = (int16_t *)c.v;
  float *kScale = (float *)c.kScale, *vScale = (float *)c.vScale;
  uint32_t headSize = c.capacity * m->headDim;
  for (uint32_t h = 0; h < m->nKvHeads; h++)
    for (uint32_t t = 0; t < tool.rows; t++) {
      uint32_t row = h * tool.rows + t;
      int16_t *key = k + h * headSize + (t >> 2) * m->headDim * 4 + (t & 3) * 2;
      int16_t *value = v + h * headSize + (t >> 1) * 8 + (t & 1);
      for (uint32_t i = 0; i < m->headDim; i++) {
        key[8 * (i >> 1) + (i & 1)] = tool.k[row * m->headDim + i];
        value[c.capacity * 4 * (i >> 2) + 2 * (i & 3)] = tool.v[row * m->headDim + i];
      }
      kScale[h * c.capacity + t] = tool.kScale[row];
      vScale[h * c.capacity + t] = tool.vScale[row];
    }
}

static uint32_t tool_rows(const thimble_model *m, uint32_t tool) {
  return kept_layer(m, tool, 0).rows;
}

/* Lays out records and buffers, and where the arena is another than before, its tools. */
static uint64_t lay(const thimble_model *m, const thimble_limits *limits, uint8_t *arena) {
  room r = {arena, 0};
  uint32_t layers = m->nEncoderLayers + m->nDecoderLayers, positions = limits->answerTokens + 1u, width = m->dModel;
  uint32_t head = m->contrastiveHidden > m->contrastiveDim ? m->contrastiveHidden : m->contrastiveDim;
  uint32_t wide = padded(head, groupSize) > width ? padded(head, groupSize) : width;
  bool isNew = arena && (plan.arena != arena || plan.model != m);
  plan.toolCaches = take(&r, (uint64_t)m->nTools * layers * sizeof(cache_record));
  for (uint32_t tool = 0; tool < m->nTools; tool++)
    for (uint32_t layer = 0; layer < layers; layer++) {
      cache_record c = take_cache(&r, m, tool_rows(m, tool));
      if (!isNew) continue;
      plan.toolCaches[tool * layers + layer] = c;
      lay_out(m, kept_layer(m, tool, layer), c);
    }
  plan.encoder = take(&r, m->nEncoderLayers * sizeof(block_record));
  plan.self = take(&r, m->nDecoderLayers * sizeof(block_record));
  plan.cross = take(&r, m->nDecoderLayers * sizeof(block_record));
  plan.selfCaches = take(&r, m->nDecoderLayers * sizeof(cache_record));
  plan.crossCaches = take(&r, m->nDecoderLayers * sizeof(cache_record));
  uint32_t runs = 1 + m->nTools;
  plan.encoderRuns = take(&r, 4ull * runs * m->nEncoderLayers);
  plan.crossRuns = take(&r, 4ull * runs * m->nDecoderLayers);
  plan.encoderCache = take_cache(&r, m, limits->requestTokens);
  for (uint32_t i = 0; i < m->nDecoderLayers; i++) {
    cache_record self = take_cache(&r, m, positions), cross = take_cache(&r, m, limits->requestTokens);
    if (!arena) continue;
    plan.selfCaches[i] = self;
    plan.crossCaches[i] = cross;
  }
  uint32_t own = padded(limits->requestTokens, octet) > positions ? padded(limits->requestTokens, octet) : positions;
  uint32_t keys = padded(own + m->toolRows, octet);
  plan.session = (session_record){.dModel = width, .nHeads = m->nHeads, .nKvHeads = m->nKvHeads, .headDim = m->headDim,
                                  .vocabSize = m->vocabSize, .rope = (at)m->parts[part_rope].at, .yWidth = wide,
                                  .keyCapacity = keys};
  plan.session.y = take_at(&r, tileRows * wide * 4);
  plan.session.a = take_at(&r, tileRows * (16 + wide / groupSize * inputBlockBytes));
  plan.session.q = take_at(&r, tileRows * width * 8);
  plan.session.qScale = take_at(&r, tileRows * m->nHeads * 4);
  plan.session.scores = take_at(&r, (uint64_t)tileRows * keys * 4);
  plan.session.p = take_at(&r, (uint64_t)tileRows * keys * 8);
  plan.session.pScale = take_at(&r, tileRows * 4);
  plan.session.vScale = take_at(&r, (uint64_t)keys * 4);
  plan.session.att = take_at(&r, tileRows * wide * 4);
  plan.x = take_at(&r, padded(limits->requestTokens, tileRows) * width * 4);
  plan.step = take_at(&r, stepRows * width * 4);
  plan.ids = take_at(&r, 4 * (limits->requestTokens > stepRows ? limits->requestTokens : stepRows));
  plan.logits = take_at(&r, padded(m->vocabSize, 4) * 4);
  plan.summary = take_at(&r, groupBytes);
  if (!arena) return r.at;
  plan.model = m;
  plan.arena = arena;
  for (uint32_t i = 0; i < layers; i++) {
    bool isEncoder = i < m->nEncoderLayers;
    uint32_t layer = isEncoder ? i : i - m->nEncoderLayers;
    uint32_t *list = (isEncoder ? plan.encoderRuns : plan.crossRuns) + layer * runs;
    list[0] = m->nTools;
    for (uint32_t tool = 0; tool < m->nTools; tool++) list[1 + tool] = (at)&plan.toolCaches[tool * layers + i];
    if (isEncoder) plan.encoder[layer] = block_of(encoder_block(m, layer));
    else {
      plan.self[layer] = block_of(self_block(m, layer));
      plan.cross[layer] = block_of(cross_block(m, layer));
    }
  }
  return r.at;
}

uint32_t engine_plan(engine *e, const thimble_model *m, const thimble_limits *limits, uint32_t shared, uint32_t spare,
                     uint8_t *start) {
  uint64_t bytes = lay(m, limits, start), most = (uint64_t)limits->answerTokens * m->longestPiece * 8 + 4096;
  *e = (engine){.m = m, .requestTokens = limits->requestTokens, .bits = 16};
  /* Room for the result, in `rest` as in the engine beside; behind it for a vector, and what the caller works in. */
  uint64_t vector = 4ull * padded(m->contrastiveDim, 4), all = bytes + most + vector + padded(shared, 16);
  (void)spare;
  e->rest = start ? start + bytes : NULL;
  e->restBytes = e->usefulBytes = (uint32_t)most;
  e->hidden = (float *)(start ? start + bytes + most : NULL);
  e->shared = start ? start + bytes + most + vector : NULL;
  return all > UINT32_MAX / 2 ? 0 : (uint32_t)all;
}

static void embed_ids(const thimble_model *m, const uint16_t *ids, uint32_t n, at x) {
  uint32_t *wide = (uint32_t *)plan.ids;
  for (uint32_t i = 0; i < n; i++) wide[i] = ids[i];
  embed((at)&plan.session, (at)embedding_table(m), plan.ids, n, x);
}

static void encode(const thimble_model *m, const uint16_t *ids, uint32_t n, bool seesTools) {
  at session = (at)&plan.session, cache = (at)&plan.encoderCache;
  embed_ids(m, ids, n, plan.x);
  for (uint32_t i = 0; i < m->nEncoderLayers; i++) {
    at runs = seesTools ? (at)(plan.encoderRuns + i * (1 + m->nTools)) : 0;
    encoder_kv(session, (at)&plan.encoder[i], cache, plan.x, 0, n);
    encoder_attend(session, (at)&plan.encoder[i], cache, plan.x, 0, n, n, runs);
  }
  final_norm(session, (at)encoder_norm(m), plan.x, n);
}

void engine_contrast(engine *e, const uint16_t *ids, uint32_t n, float *vector) {
  const thimble_model *m = e->m;
  head head = contrastive_head(m);
  head_record record = {(at)head.hidden, (at)head.bias, (at)head.proj, m->contrastiveHidden, m->contrastiveDim};
  encode(m, ids, n, false);
  contrastive((at)&plan.session, (at)&record, plan.x, n, (at)vector);
}

void engine_prefill(engine *e, const uint16_t *ids, uint32_t n) {
  const thimble_model *m = e->m;
  at session = (at)&plan.session;
  encode(m, ids, n, true);
  for (uint32_t i = 0; i < m->nDecoderLayers; i++)
    cross_kv(session, (at)&plan.cross[i], (at)&plan.crossCaches[i], plan.x, 0, n);
  e->keys = n;
}

void engine_decode(engine *e, const uint16_t *ids, uint32_t n, uint32_t pos) {
  const thimble_model *m = e->m;
  uint32_t runs = 1 + m->nTools;
  for (uint32_t start = 0; start < n; start += stepRows) {
    uint32_t rows = n - start < stepRows ? n - start : stepRows;
    embed_ids(m, ids + start, rows, plan.step);
    for (uint32_t i = 0; i < m->nDecoderLayers; i++) {
      /* Nothing reads what the last layer makes of earlier ids. */
      uint32_t from = i + 1 < m->nDecoderLayers ? 0 : rows - 1;
      decoder_layer((at)&plan.session, (at)&plan.self[i], (at)&plan.selfCaches[i], (at)&plan.cross[i],
                    (at)&plan.crossCaches[i], plan.step, pos + start, rows, e->keys, from, (at)(plan.crossRuns + i * runs));
    }
    /* The last row's state, where `engine_pick` finds it. */
    if (start + rows == n) e->y = (float *)(plan.step + (rows - 1) * m->dModel * 4);
  }
}

choice engine_pick(engine *e, const uint32_t *allowed, const gain *gain) {
  const thimble_model *m = e->m;
  at session = (at)&plan.session;
  final_norm(session, (at)decoder_norm(m), (at)e->y, 1);
  logits(session, (at)embedding_table(m), (at)e->y, (at)allowed, plan.logits);
  float *row = (float *)plan.logits;
  uint32_t plain = gain ? argmax(plan.logits, padded(m->vocabSize, 4), plan.summary) : 0;
  for (uint32_t id = 0; gain && id < m->vocabSize; id++)
    if (allowed[id >> 5] >> (id & 31) & 1) row[id] = (float)(row[id] + gain->of(gain->from, id));
  const summary_record *found = (const summary_record *)plan.summary;
  uint32_t id = argmax(plan.logits, padded(m->vocabSize, 4), plan.summary);
  return (choice){id, found->second, plain, found->most - found->next, -logarithm(found->sum)};
}
