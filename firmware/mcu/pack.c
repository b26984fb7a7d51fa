/* The pack: its head read from msgpack, its sections placed by the geometry (runtime/pack/pack.ts draws both). */
#include "small.h"

#include "files.h"
#include "kernels.h"
#include "open.h"

/* XXH32 with seed 0. Source: xxHash specification. */
static uint32_t rotate(uint32_t x, int bits) {
  return x << bits | x >> (32 - bits);
}

typedef struct {
  uint32_t lanes[4], length;
} hash;

static const uint32_t p1 = 0x9e3779b1, p2 = 0x85ebca77, p3 = 0xc2b2ae3d, p4 = 0x27d4eb2f, p5 = 0x165667b1;

/* Adds whole stripes of 16 bytes. */
static void hash_stripes(hash *h, const uint8_t *at, uint32_t bytes) {
  for (uint32_t i = 0; i < bytes; i += 16)
    for (int lane = 0; lane < 4; lane++)
      h->lanes[lane] = rotate(h->lanes[lane] + u32_at(at + i + 4 * lane) * p2, 13) * p1;
  h->length += bytes;
}

static hash hash_start(void) {
  return (hash){{p1 + p2, p2, 0, 0u - p1}, 0};
}

static uint32_t hash_end(hash *h, const uint8_t *tail, uint32_t bytes) {
  const uint32_t *v = h->lanes;
  uint32_t sum = h->length ? rotate(v[0], 1) + rotate(v[1], 7) + rotate(v[2], 12) + rotate(v[3], 18) : p5;
  sum += h->length + bytes;
  uint32_t at = 0;
  for (; at + 4 <= bytes; at += 4) sum = rotate(sum + u32_at(tail + at) * p3, 17) * p4;
  for (; at < bytes; at++) sum = rotate(sum + tail[at] * p5, 11) * p1;
  sum = (sum ^ sum >> 15) * p2;
  sum = (sum ^ sum >> 13) * p3;
  return sum ^ sum >> 16;
}

uint32_t xxh32(const uint8_t *bytes, uint32_t length) {
  hash h = hash_start();
  uint32_t stripes = length / 16 * 16;
  hash_stripes(&h, bytes, stripes);
  return hash_end(&h, bytes + stripes, length - stripes);
}

uint32_t head_sum(const uint8_t *head, uint32_t length) {
  /* Bytes 16 … 31 hold the sum itself, as zero. */
  uint8_t stripe[16];
  hash h = hash_start();
  hash_stripes(&h, head, 16);
  memcpy(stripe, head + 16, 16);
  memset(stripe + 12, 0, 4);
  hash_stripes(&h, stripe, 16);
  uint32_t rest = length - 32, stripes = rest / 16 * 16;
  hash_stripes(&h, head + 32, stripes);
  return hash_end(&h, head + 32 + stripes, rest - stripes);
}

/* A reader of msgpack: `bad` once something did not fit. */
typedef struct {
  const uint8_t *at, *end;
  bool bad;
} reader;

static uint32_t take(reader *r, uint32_t bytes) {
  uint32_t value = 0;
  if ((size_t)(r->end - r->at) < bytes) {
    r->bad = true;
    return 0;
  }
  for (uint32_t i = 0; i < bytes; i++) value = value << 8 | *r->at++;
  return value;
}

static thimble_span take_bytes(reader *r, uint32_t bytes) {
  thimble_span span = {r->at, bytes};
  if ((size_t)(r->end - r->at) < bytes) {
    r->bad = true;
    span.bytes = 0;
  } else
    r->at += bytes;
  return span;
}

/* Number of a map's pairs, or a list's items. */
static uint32_t take_count(reader *r, uint8_t fix, uint8_t wide) {
  uint32_t type = take(r, 1);
  if ((type & 0xf0) == fix) return type & 15;
  if (type == wide) return take(r, 2);
  if (type == wide + 1u) return take(r, 4);
  r->bad = true;
  return 0;
}
static uint32_t take_map(reader *r) { return take_count(r, 0x80, 0xde); }
static uint32_t take_list(reader *r) { return take_count(r, 0x90, 0xdc); }

static thimble_span take_text(reader *r) {
  uint32_t type = take(r, 1);
  if ((type & 0xe0) == 0xa0) return take_bytes(r, type & 31);
  if (type >= 0xd9 && type <= 0xdb) return take_bytes(r, take(r, 1u << (type - 0xd9)));
  r->bad = true;
  return (thimble_span){r->at, 0};
}

static uint32_t take_uint(reader *r) {
  uint32_t type = take(r, 1);
  if (type < 0x80) return type;
  if (type >= 0xcc && type <= 0xce) return take(r, 1u << (type - 0xcc));
  r->bad = true;
  return 0;
}

/* Passes over values without recursion: lists and maps add what they hold. */
static void skip(reader *r) {
  for (uint32_t left = 1; left && !r->bad; left--) {
    if (r->at == r->end) {
      r->bad = true;
      return;
    }
    uint8_t type = *r->at;
    uint32_t held = 0;
    if (type < 0x80 || type >= 0xe0 || type == 0xc0 || type == 0xc2 || type == 0xc3) r->at++;
    else if ((type & 0xf0) == 0x80 || type == 0xde || type == 0xdf) held = take_map(r) * 2;
    else if ((type & 0xf0) == 0x90 || type == 0xdc || type == 0xdd) held = take_list(r);
    else if ((type & 0xe0) == 0xa0 || (type >= 0xd9 && type <= 0xdb)) take_text(r);
    else if (type >= 0xca && type <= 0xd3) {
      static const uint8_t sizes[] = {4, 8, 1, 2, 4, 8, 1, 2, 4, 8};
      r->at++;
      take_bytes(r, sizes[type - 0xca]);
    } else r->bad = true;
    /* Each value takes a byte at least. */
    if (held > (size_t)(r->end - r->at)) r->bad = true;
    left += held;
  }
}

static bool is(thimble_span text, const char *word) {
  return text.bytes == strlen(word) && !memcmp(text.at, word, text.bytes);
}

static void read_geometry(reader *r, thimble_model *m) {
  for (uint32_t n = take_map(r); n && !r->bad; n--) {
    thimble_span key = take_text(r);
    if (is(key, "vocabSize")) m->vocabSize = take_uint(r);
    else if (is(key, "dModel")) m->dModel = take_uint(r);
    else if (is(key, "nHeads")) m->nHeads = take_uint(r);
    else if (is(key, "nKvHeads")) m->nKvHeads = take_uint(r);
    else if (is(key, "nEncoderLayers")) m->nEncoderLayers = take_uint(r);
    else if (is(key, "nDecoderLayers")) m->nDecoderLayers = take_uint(r);
    else if (is(key, "contrastiveHidden")) m->contrastiveHidden = take_uint(r);
    else if (is(key, "contrastiveDim")) m->contrastiveDim = take_uint(r);
    else skip(r);
  }
}

/* As a field: up to a whole 16 bytes. */
static uint32_t matrix_bytes(uint32_t out, uint32_t in) {
  return padded(padded(out, outputTile) / outputTile * octet_bytes(in), 16);
}

enum { align = 64 };

/* Bytes of a section that holds what comes before its end, from fields of whole 16 bytes. */
static uint32_t keys_values_bytes(const thimble_model *m) {
  uint32_t kv = m->nKvHeads * m->headDim;
  return padded(4 * m->headDim, 16) + 2 * matrix_bytes(kv, m->dModel);
}
static uint32_t queries_bytes(const thimble_model *m) {
  return padded(4 * m->dModel, 16) + 16 + padded(4 * m->headDim, 16) + matrix_bytes(m->dModel, m->dModel);
}
static uint32_t out_bytes(const thimble_model *m) {
  return matrix_bytes(m->dModel, m->dModel);
}

static void plan_sections(thimble_model *m) {
  uint32_t block = queries_bytes(m) + keys_values_bytes(m) + out_bytes(m);
  m->tableBytes = padded(padded(m->vocabSize, 4) / 4 * (16 + 4 * m->dModel), align);
  m->encoderBytes = padded(block, align);
  m->normsBytes = padded(2 * padded(4 * m->dModel, 16), align);
  m->crossBytes = padded(keys_values_bytes(m), align);
  m->decoderBytes = padded(block + queries_bytes(m) + out_bytes(m), align);
  m->contrastiveBytes = 0;
  if (m->contrastiveHidden)
    m->contrastiveBytes = padded(matrix_bytes(m->contrastiveHidden, m->dModel) + padded(4 * m->contrastiveHidden, 16) +
                                     matrix_bytes(m->contrastiveDim, m->contrastiveHidden), align);
}

/* Bytes of section i, 0 past the last: embedding, encoder, norms, cross, decoder, contrastive. */
static uint32_t section_bytes(const thimble_model *m, uint32_t i) {
  uint32_t cross = 2 + m->nEncoderLayers, decoder = cross + m->nDecoderLayers, last = decoder + m->nDecoderLayers;
  if (i == 0) return m->tableBytes;
  if (i <= m->nEncoderLayers) return m->encoderBytes;
  if (i < cross) return m->normsBytes;
  if (i < decoder) return m->crossBytes;
  if (i < last) return m->decoderBytes;
  return i == last ? m->contrastiveBytes : 0;
}

static const char *check_geometry(const thimble_model *m) {
  uint32_t heads = m->nHeads, groups = m->nKvHeads;
  if (m->vocabSize < 8 || m->vocabSize > 65535 || m->dModel < 32 || m->dModel > 512 || m->dModel % groupSize)
    return "pack: expected at most 65535 pieces and a dModel that is a multiple of 32 up to 512, got others; use another model";
  if (!heads || heads > 256 || !groups || groups > heads || m->dModel % heads || heads % groups || m->dModel / heads % 8)
    return "pack: expected heads of a multiple of 8 that divide dModel, got others; build the pack again";
  if (!m->nEncoderLayers || m->nEncoderLayers > 64 || !m->nDecoderLayers || m->nDecoderLayers > 64)
    return "pack: expected 1 to 64 layers each, got others; use a smaller model";
  if (m->contrastiveHidden > 1u << 14 || m->contrastiveDim > 1u << 14 || !m->contrastiveHidden != !m->contrastiveDim)
    return "pack: expected both contrastive sizes or neither, got others; build the pack again";
  return NULL;
}

/* The sections' entries must stand where the geometry says; their checksums' sum names the weights. */
static bool read_sections(reader *r, const thimble_model *m, uint32_t *sum) {
  uint32_t count = take_list(r), at = m->sectionsAt, i = 0;
  hash h = hash_start();
  uint8_t stripe[16];
  for (; i < count && !r->bad; i++) {
    uint32_t place = 0, bytes = 0, checksum = 0;
    for (uint32_t n = take_map(r); n && !r->bad; n--) {
      thimble_span key = take_text(r);
      if (is(key, "offsetBytes")) place = take_uint(r);
      else if (is(key, "bytes")) bytes = take_uint(r);
      else if (is(key, "checksum")) checksum = take_uint(r);
      else skip(r);
    }
    if (r->bad || bytes != section_bytes(m, i) || !bytes || place != at || bytes > m->pack.bytes - at) return false;
    at += bytes;
    memcpy(stripe + 4 * (i & 3), &checksum, 4);
    if ((i & 3) == 3) hash_stripes(&h, stripe, 16);
  }
  *sum = hash_end(&h, stripe, 4 * (i & 3));
  return !r->bad && !section_bytes(m, i) && at == m->pack.bytes;
}

static const char damaged[] = "pack: expected its checksums, got others; the file is damaged, copy it again";
static const char noPack[] = "pack: expected a file of `thimble build`, got something else; copy it again";

const char *open_pack(thimble_model *m, uint32_t *weightsId) {
  const uint8_t *file = m->pack.at;
  if (m->pack.bytes < 64 || memcmp(file, "thimble", 8) || u32_at(file + 20)) return noPack;
  uint32_t version = u32_at(file + 8);
  if (version == 1) return "pack: expected version 2, got 1; make it one by `thimble build PACK -o NEW` and read its tools again";
  if (version != 2) return "pack: expected version 2, got a newer one; build these sources of a newer thimble";
  uint32_t headerBytes = u32_at(file + 12);
  if (headerBytes > 1u << 20 || headerBytes + 24 > m->pack.bytes) return noPack;
  m->sectionsAt = padded(24 + headerBytes, align);
  if (m->sectionsAt > m->pack.bytes) return noPack;
  if (xxh32(file + 24, m->sectionsAt - 24) != u32_at(file + 16)) return damaged;

  reader whole = {file + 24, file + 24 + headerBytes, false}, sections = {0};
  bool isInt4 = false, isApart = false;
  for (uint32_t n = take_map(&whole); n && !whole.bad; n--) {
    thimble_span key = take_text(&whole);
    if (is(key, "geometry")) read_geometry(&whole, m);
    else if (is(key, "weights")) isInt4 = is(take_text(&whole), "int4");
    else if (is(key, "prompt")) isApart = is(take_text(&whole), "apart");
    else if (is(key, "toolAt")) m->toolAt = take_uint(&whole);
    else {
      if (is(key, "sections")) sections = whole;
      skip(&whole);
    }
  }
  if (whole.bad || !sections.at) return noPack;
  if (!isInt4) return "pack: expected int4 weights, got others; build it without --wide";
  if (!isApart) return "pack: expected a model that reads tools apart, got one with tools in its prompt; use another model";
  const char *error = check_geometry(m);
  if (error) return error;
  m->headDim = m->dModel / m->nHeads;
  plan_sections(m);
  m->sectionSums = (uint32_t)(sections.at - file);
  if (!read_sections(&sections, m, weightsId))
    return "pack: expected the sections of its geometry, got others; the file is cut short, copy it again";
  return NULL;
}

const char *thimble_check(const thimble_model *m) {
  const uint8_t *file = m->pack.at;
  reader r = {file + m->sectionSums, file + m->sectionsAt, false};
  for (uint32_t n = take_list(&r), at = m->sectionsAt, i = 0; i < n; at += section_bytes(m, i++)) {
    uint32_t checksum = 0;
    for (uint32_t pairs = take_map(&r); pairs && !r.bad; pairs--) {
      if (is(take_text(&r), "checksum")) checksum = take_uint(&r);
      else skip(&r);
    }
    if (xxh32(file + at, section_bytes(m, i)) != checksum) return damaged;
  }
  return check_tools(m);
}

static const uint8_t *field(const uint8_t **at, uint32_t bytes) {
  const uint8_t *here = *at;
  *at += padded(bytes, 16);
  return here;
}

static void read_queries(const thimble_model *m, block *b, const uint8_t **at) {
  b->norm = (const float *)field(at, 4 * m->dModel);
  b->gate = (const float *)field(at, 4);
  b->qNorm = (const float *)field(at, 4 * m->headDim);
  b->wq = field(at, matrix_bytes(m->dModel, m->dModel));
}

static void read_keys_values(const thimble_model *m, block *b, const uint8_t **at) {
  uint32_t kv = matrix_bytes(m->nKvHeads * m->headDim, m->dModel);
  b->kNorm = (const float *)field(at, 4 * m->headDim);
  b->wk = field(at, kv);
  b->wv = field(at, kv);
}

static block read_block(const thimble_model *m, const uint8_t **at) {
  block b;
  read_queries(m, &b, at);
  read_keys_values(m, &b, at);
  b.wo = field(at, matrix_bytes(m->dModel, m->dModel));
  return b;
}

const uint8_t *embedding_table(const thimble_model *m) {
  return m->pack.at + m->sectionsAt;
}

static const uint8_t *norms(const thimble_model *m) {
  return embedding_table(m) + m->tableBytes + m->nEncoderLayers * m->encoderBytes;
}

block encoder_block(const thimble_model *m, uint32_t layer) {
  const uint8_t *at = embedding_table(m) + m->tableBytes + layer * m->encoderBytes;
  return read_block(m, &at);
}

static const uint8_t *decoder_section(const thimble_model *m, uint32_t layer) {
  return norms(m) + m->normsBytes + m->nDecoderLayers * m->crossBytes + layer * m->decoderBytes;
}

block self_block(const thimble_model *m, uint32_t layer) {
  const uint8_t *at = decoder_section(m, layer);
  return read_block(m, &at);
}

block cross_block(const thimble_model *m, uint32_t layer) {
  const uint8_t *at = norms(m) + m->normsBytes + layer * m->crossBytes;
  block b;
  read_keys_values(m, &b, &at);
  at = decoder_section(m, layer);
  read_block(m, &at);
  read_queries(m, &b, &at);
  b.wo = at;
  return b;
}

const float *encoder_norm(const thimble_model *m) {
  return (const float *)norms(m);
}

const float *decoder_norm(const thimble_model *m) {
  return (const float *)(norms(m) + padded(4 * m->dModel, 16));
}

head contrastive_head(const thimble_model *m) {
  const uint8_t *at = decoder_section(m, m->nDecoderLayers);
  head h;
  h.hidden = field(&at, matrix_bytes(m->contrastiveHidden, m->dModel));
  h.bias = (const float *)field(&at, 4 * m->contrastiveHidden);
  h.proj = at;
  return h;
}
