/*
 * The file of kept tools: keys and values (runtime/kept/file.ts, form.ts) and what a device needs beside (device.ts). All that a
 * call follows is checked here once: places, ids, targets.
 */
#include "small.h"

#include "files.h"
#include "json.h"
#include "open.h"
#include "text.h"

enum { headBytes = 48, rowBytes = 20, partsAt = 56, deviceHeadBytes = partsAt + 8 * thimble_mostParts };

static const char damaged[] = "tools: expected a whole file of `thimble tools read`, got a damaged one; copy it again";

static const uint8_t *tool_row(const thimble_model *m, uint32_t tool) {
  return m->tools.at + headBytes + rowBytes * tool;
}

/* Bytes of the keys, or the values, of a layer with their scales. */
static uint64_t part_bytes(const thimble_model *m, uint32_t rows) {
  uint64_t integers = (uint64_t)m->nKvHeads * rows * m->headDim;
  return (integers + 3) / 4 * 4 + 4ull * m->nKvHeads * rows;
}

static uint64_t form_bytes(const thimble_model *m, uint32_t rows) {
  return 2 * part_bytes(m, rows) * (m->nEncoderLayers + m->nDecoderLayers);
}

kept kept_layer(const thimble_model *m, uint32_t tool, uint32_t layer) {
  const uint8_t *row = tool_row(m, tool);
  uint32_t textBytes = u32_at(row + 8), rows = u32_at(row + 12);
  uint32_t part = (uint32_t)part_bytes(m, rows), scales = padded(m->nKvHeads * rows * m->headDim, 4);
  const uint8_t *at = m->tools.at + u32_at(row) + padded(textBytes, 4) + 4 * m->contrastiveDim + 2 * part * layer;
  return (kept){rows, (const int8_t *)at, (const int8_t *)(at + part), (const float *)(at + scales),
                (const float *)(at + part + scales)};
}

const float *tool_vector(const thimble_model *m, uint32_t tool) {
  const uint8_t *row = tool_row(m, tool);
  return (const float *)(m->tools.at + u32_at(row) + padded(u32_at(row + 8), 4));
}

static bool is_within(uint32_t at, uint32_t bytes, uint32_t whole) {
  return at <= whole && bytes <= whole - at;
}

static const char *open_table(thimble_model *m) {
  const uint8_t *file = m->tools.at;
  uint32_t bytes = m->tools.bytes;
  if (bytes < headBytes || memcmp(file, "thimblkv", 8))
    return "tools: expected a file of `thimble tools read`, got something else; copy it again";
  if (u32_at(file + 8) != 5) return "tools: expected version 5, got another; read the tools again with this thimble";
  m->nTools = u32_at(file + 12);
  if (m->nTools > 4096 || headBytes + rowBytes * m->nTools > bytes) return damaged;
  if (head_sum(file, headBytes + rowBytes * m->nTools) != u32_at(file + 28)) return damaged;
  if (u32_at(file + 20) != m->toolAt || u32_at(file + 24) != m->contrastiveDim)
    return "tools: expected tools read by this model, got another's; read them again with it";
  m->toolRows = 0;
  for (uint32_t i = 0; i < m->nTools; i++) {
    const uint8_t *row = tool_row(m, i);
    uint32_t at = u32_at(row), length = u32_at(row + 4), textBytes = u32_at(row + 8), rows = u32_at(row + 12);
    if (rows > 1u << 16 || textBytes > bytes || !is_within(at, length, bytes) || at % 16) return damaged;
    if (length != padded(textBytes, 4) + 4ull * m->contrastiveDim + form_bytes(m, rows)) return damaged;
    m->toolRows += padded(rows, 8);
  }
  return m->toolRows > 1u << 20 ? damaged : NULL;
}

const char *check_tools(const thimble_model *m) {
  for (uint32_t i = 0; i < m->nTools; i++) {
    const uint8_t *row = tool_row(m, i);
    if (xxh32(m->tools.at + u32_at(row), u32_at(row + 4)) != u32_at(row + 16)) return damaged;
  }
  return NULL;
}

static bool check_vocabulary(const thimble_model *m) {
  const thimble_span *parts = m->parts;
  if (parts[part_starts].bytes != 4 * (m->vocabSize + 1) || parts[part_order].bytes != 2 * m->nOrdered ||
      parts[part_shared].bytes != m->nOrdered || parts[part_byteIds].bytes != 512 || !m->nOrdered)
    return false;
  uint32_t before = 0;
  for (uint32_t id = 0; id <= m->vocabSize; id++) {
    uint32_t start = u32_at(parts[part_starts].at + 4 * id);
    if (start < before || start > parts[part_pieces].bytes || (id && start - before > m->longestPiece)) return false;
    before = start;
  }
  for (uint32_t i = 0; i < m->nOrdered; i++) {
    uint32_t id = ordered(m, i), shared = parts[part_shared].at[i];
    if (id >= m->vocabSize || !piece(m, id).bytes || shared > piece(m, id).bytes) return false;
    if (i ? shared > piece(m, ordered(m, i - 1)).bytes : shared) return false;
  }
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t id = byte_id(m, (uint8_t)byte);
    if (id >= m->vocabSize || piece(m, id).bytes != 1 || *piece(m, id).at != byte) return false;
  }
  return m->longestPiece && m->longestPiece <= 128;
}

static bool is_text(const thimble_model *m, const uint8_t *at) {
  uint32_t bytes = u32_at(at + 4);
  return bytes && bytes <= 0xffff && is_within(u32_at(at), bytes, m->parts[part_texts].bytes);
}

static bool is_target(const thimble_model *m, uint32_t target) {
  if (target == 0xffff) return true;
  return target < 0x8000 ? target < m->nAtoms : target - 0x8000 < m->nUnions;
}

/* Follows a schema to its end; returns what is left, NULL where it breaks. Words of values and keys are looked for past a first byte. */
static const uint8_t *check_schema(const uint8_t *at, const uint8_t *end, int depth) {
  if (!at || at >= end || depth > 20) return NULL;
  uint32_t kind = *at++, count = 1;
  if (kind <= schema_boolean || kind == schema_integer) return at;
  if (kind >= schema_kinds) return NULL;
  if (kind == schema_default) {
    if (end - at < 2 || end - at - 2 < (long)u16_at(at)) return NULL;
    return check_schema(at + 2 + u16_at(at), end, depth + 1);
  }
  if (kind != schema_array) {
    if (end - at < 2) return NULL;
    count = u16_at(at) + (kind == schema_tuple);
    at += 2;
  }
  for (; count; count--) {
    if (kind == schema_enum || kind == schema_object) {
      if (end - at < 2) return NULL;
      long length = kind == schema_object ? property_at(at).inner - at : 2 + (long)u16_at(at);
      if (end - at < length || length < 3 || at[2] > 0x7f || !is_utf8(at + 2, (uint32_t)length - 2)) return NULL;
      at += length;
    }
    if (kind != schema_enum && !(at = check_schema(at, end, depth + 1))) return NULL;
  }
  return at;
}

static bool check_grammar(const thimble_model *m) {
  const thimble_span *parts = m->parts;
  uint32_t nProperties = parts[part_properties].bytes / 12, nEdges = parts[part_edges].bytes / 4;
  uint32_t nMembers = parts[part_members].bytes / 2;
  if (parts[part_tools].bytes != 28 * m->nTools || parts[part_trust].bytes != trustRisks + m->nTools) return false;
  for (uint32_t i = 0; i < m->nTools; i++) {
    const uint8_t *row = parts[part_tools].at + 28 * i;
    uint32_t first = u32_at(row + 16), count = u16_at(row + 20), state = u16_at(row + 22), schema = u32_at(row + 24);
    if (!is_text(m, row) || !is_text(m, row + 8) || count > 32 || !is_within(first, count, nProperties)) return false;
    thimble_span name = text_at(m, row);
    uint32_t end = sizeof AFTER_NAME - 1;
    if (name.bytes <= end || memcmp(name.at + name.bytes - end, AFTER_NAME, end)) return false;
    if (!is_target(m, state) || schema >= parts[part_schemas].bytes) return false;
    const uint8_t *schemas = parts[part_schemas].at;
    if (schemas[schema] != 5 || !check_schema(schemas + schema, schemas + parts[part_schemas].bytes, 0)) return false;
  }
  for (uint32_t i = 0; i < nProperties; i++) {
    const uint8_t *row = parts[part_properties].at + 12 * i;
    if (!is_text(m, row) || !is_target(m, u16_at(row + 8)) || u16_at(row + 8) == 0xffff) return false;
  }
  for (uint32_t i = 0; i < m->nAtoms; i++) {
    const uint8_t *row = parts[part_atoms].at + 12 * i;
    if (!is_within(u32_at(row), u16_at(row + 4), nEdges)) return false;
  }
  for (uint32_t i = 0; i < nEdges; i++)
    if (!is_target(m, u16_at(parts[part_edges].at + 4 * i + 2))) return false;
  for (uint32_t i = 0; i < m->nUnions; i++) {
    const uint8_t *row = parts[part_unions].at + 12 * i;
    if (!u16_at(row + 4) || !is_within(u32_at(row), u16_at(row + 4), nMembers)) return false;
  }
  for (uint32_t i = 0; i < nMembers; i++) {
    uint32_t member = u16_at(parts[part_members].at + 2 * i);
    if (member != 0xffff && member >= m->nAtoms) return false;
  }
  return true;
}

static bool check_words(const thimble_model *m) {
  thimble_span part = m->parts[part_words];
  uint32_t rowsAt = logsAt + 8 * (m->nTools + 1), nWords = part.bytes < rowsAt ? 0 : u32_at(part.at);
  if (part.bytes < rowsAt || nWords > (part.bytes - rowsAt) / wordBytes) return false;
  for (uint32_t i = 0; i < nWords; i++) {
    const uint8_t *row = part.at + rowsAt + wordBytes * i;
    uint32_t nPlaces = u16_at(row + 6), places = u32_at(row + 8);
    if (!u16_at(row + 4) || !is_within(u32_at(row), u16_at(row + 4), part.bytes) || !is_within(places, 4 * nPlaces, part.bytes))
      return false;
    /* One may stand in a request. */
    if (!is_utf8(part.at + u32_at(row), u16_at(row + 4))) return false;
    for (uint32_t j = 0; j < nPlaces; j++)
      if (u16_at(part.at + places + 4 * j) >= m->nTools || u16_at(part.at + places + 4 * j + 2) > 127) return false;
  }
  return true;
}

static const char *open_device(thimble_model *m, uint32_t weightsId) {
  uint32_t at = u32_at(m->tools.at + 32), bytes = u32_at(m->tools.at + 36);
  if (!at) return "tools: expected a file for devices, got one for hosts alone; `thimble tools read` says why";
  if (at % 4 || bytes < deviceHeadBytes || !is_within(at, bytes, m->tools.bytes)) return damaged;
  const uint8_t *head = m->tools.at + at;
  if (xxh32(head, bytes) != u32_at(m->tools.at + 40)) return damaged;
  if (u32_at(head) != weightsId || u32_at(head + 4) != m->vocabSize)
    return "tools: expected tools read by this model, got another's; read them again with it";
  m->nOrdered = u32_at(head + 8);
  m->longestPiece = u32_at(head + 12);
  m->positions = u32_at(head + 16);
  m->copies = u32_at(head + 20);
  memcpy(&m->leanTool, head + 24, 8);
  memcpy(&m->leanNone, head + 32, 8);
  memcpy(&m->leanWord, head + 40, 8);
  memcpy(&m->leanNumber, head + 48, 8);
  for (int i = 0; i < thimble_mostParts; i++) {
    uint32_t place = u32_at(head + partsAt + 8 * i), length = u32_at(head + partsAt + 4 + 8 * i);
    if (place % 8 || !is_within(place, length, bytes)) return damaged;
    m->parts[i] = (thimble_span){head + place, length};
  }
  m->nAtoms = m->parts[part_atoms].bytes / 12;
  m->nUnions = m->parts[part_unions].bytes / 12;
  if (m->nAtoms > 0x8000 || m->nUnions > 0x7fff || m->nOrdered > m->vocabSize) return damaged;
  if (m->positions > 4096 || m->parts[part_rope].bytes != 4 * m->positions * m->headDim) return damaged;
  return check_vocabulary(m) && check_words(m) && check_grammar(m) ? NULL : damaged;
}

const char *open_tools(thimble_model *m, uint32_t weightsId) {
  const char *error = open_table(m);
  return error ? error : open_device(m, weightsId);
}

const char *thimble_open(thimble_model *m, const void *pack, size_t packBytes, const void *tools, size_t toolsBytes) {
  memset(m, 0, sizeof *m);
  if (((uintptr_t)pack | (uintptr_t)tools) % 16)
    return "files: expected pack and tools at multiples of 16, got others; align them";
  if (packBytes > UINT32_MAX / 2 || toolsBytes > UINT32_MAX / 2) return "files: expected less than 2 GiB each, got more";
  m->pack = (thimble_span){pack, (uint32_t)packBytes};
  m->tools = (thimble_span){tools, (uint32_t)toolsBytes};
  uint32_t weightsId = 0;
  const char *error = open_pack(m, &weightsId);
  return error ? error : open_tools(m, weightsId);
}
