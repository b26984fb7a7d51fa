/* What stands where in a pack and a file of kept tools; `thimble_open` has checked every place. */
#ifndef THIMBLE_FILES_H
#define THIMBLE_FILES_H

#include <stdbool.h>
#include <string.h>

#include "thimble.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "thimble: expected a little-endian target, as its files are"
#endif

/* Parts of what a device needs beside tools, in their order there (runtime/kept/device.ts). */
enum {
  part_starts, part_pieces, part_order, part_shared, part_byteIds, part_rope, part_words,
  part_tools, part_properties, part_atoms, part_edges, part_unions, part_members, part_schemas, part_texts, part_trust
};

/* What a call's certainty is worth: f64 each, then a byte a tool, 0 safe, 1 confirm, 2 danger. Source: runtime/pack/calibration.ts. */
enum { trustFeatures = 8, trustAct = 8, trustConfirm = 9, trustRisks = 80 };
static inline double trust_at(const thimble_model *m, uint32_t i) {
  double value;
  memcpy(&value, m->parts[part_trust].at + 8 * i, 8);
  return value;
}

static inline uint32_t u32_at(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return value;
}

static inline uint32_t u16_at(const uint8_t *at) {
  uint16_t value;
  memcpy(&value, at, 2);
  return value;
}

static inline uint32_t padded(uint32_t n, uint32_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/* One attention block's weights; a cross-attention has its keys' and values' apart from the rest. */
typedef struct {
  const float *norm, *gate, *qNorm, *kNorm;
  const uint8_t *wq, *wk, *wv, *wo;
} block;

block encoder_block(const thimble_model *m, uint32_t layer);
block self_block(const thimble_model *m, uint32_t layer);
block cross_block(const thimble_model *m, uint32_t layer);
const float *encoder_norm(const thimble_model *m);
const float *decoder_norm(const thimble_model *m);
const uint8_t *embedding_table(const thimble_model *m);

/* A kept tool's keys and values of one layer (runtime/kept/form.ts): int8 (nKvHeads, rows, headDim), f32 (nKvHeads, rows). */
typedef struct {
  uint32_t rows;
  const int8_t *k, *v;
  const float *kScale, *vScale;
} kept;

/* Layers: the encoder's, then the decoder's cross-attentions. */
kept kept_layer(const thimble_model *m, uint32_t tool, uint32_t layer);

/* A tool's contrastive vector, f32 (contrastiveDim). */
const float *tool_vector(const thimble_model *m, uint32_t tool);

/* The contrastive head: matrices (hidden, dModel) and (dim, hidden), bias (hidden). Only where contrastiveHidden is not 0. */
typedef struct {
  const uint8_t *hidden, *proj;
  const float *bias;
} head;
head contrastive_head(const thimble_model *m);

/* A piece as it stands in an answer. */
static inline thimble_span piece(const thimble_model *m, uint32_t id) {
  const uint8_t *starts = m->parts[part_starts].at + 4 * id;
  uint32_t start = u32_at(starts);
  return (thimble_span){m->parts[part_pieces].at + start, u32_at(starts + 4) - start};
}

/* The id at a place of the order by bytes. */
static inline uint32_t ordered(const thimble_model *m, uint32_t place) {
  return u16_at(m->parts[part_order].at + 2 * place);
}

static inline uint32_t byte_id(const thimble_model *m, uint8_t byte) {
  return u16_at(m->parts[part_byteIds].at + 2 * byte);
}

/* Rows of the tools' words, and bytes of one (runtime/kept/words.ts). */
enum { logsAt = 8, wordBytes = 12 };
static inline const uint8_t *word_rows(const thimble_model *m) {
  return m->parts[part_words].at + logsAt + 8 * (m->nTools + 1);
}

/* What a tool's call begins with around its name as JSON; of the tables' texts one is the name with what follows. */
#define BEFORE_NAME "{\"name\":"
#define AFTER_NAME ",\"arguments\":{"

/* A text of the grammar's tables, of whose row `at` says where it is. */
static inline thimble_span text_at(const thimble_model *m, const uint8_t *at) {
  return (thimble_span){m->parts[part_texts].at + u32_at(at), u32_at(at + 4)};
}

uint32_t xxh32(const uint8_t *bytes, uint32_t length);

#endif
