/* The answer's calls as JSON with the tools' own names, and as msgpack (runtime/wire/WIRE.md, "A call"). */
#include "small.h"

#include "call.h"
#include "json.h"

/* Bytes on their way out; `isFull` once they do not fit. */
typedef struct {
  uint8_t *at;
  uint32_t bytes, most;
  bool isFull;
} writer;

static void put(writer *w, const void *bytes, uint32_t length) {
  if (length > w->most - w->bytes) {
    w->isFull = true;
    return;
  }
  memcpy(w->at + w->bytes, bytes, length);
  w->bytes += length;
}

static void put_byte(writer *w, uint32_t byte) {
  uint8_t one = (uint8_t)byte;
  put(w, &one, 1);
}

/* Big-endian, as msgpack has numbers. */
static void put_number(writer *w, uint64_t value, uint32_t bytes) {
  while (bytes--) put_byte(w, (uint32_t)(value >> 8 * bytes) & 0xff);
}

static void put_list(writer *w, uint32_t count) {
  if (count < 16) put_byte(w, 0x90 | count);
  else {
    put_byte(w, 0xdc);
    put_number(w, count, 2);
  }
}

static void put_uint(writer *w, uint32_t value) {
  if (value < 0x80) put_byte(w, (uint32_t)value);
  else if (value < 0x100) put_byte(w, 0xcc), put_number(w, value, 1);
  else if (value < 0x10000) put_byte(w, 0xcd), put_number(w, value, 2);
  else put_byte(w, 0xce), put_number(w, value, 4);
}

static void put_string(writer *w, const uint8_t *at, const uint8_t *end) {
  uint32_t bytes = json_text(at, end, NULL);
  if (bytes < 32) put_byte(w, 0xa0 | bytes);
  else if (bytes < 0x100) put_byte(w, 0xd9), put_number(w, bytes, 1);
  else put_byte(w, 0xda), put_number(w, bytes, 2);
  if (bytes > w->most - w->bytes) w->isFull = true;
  else w->bytes += json_text(at, end, w->at + w->bytes);
}

/* Beyond 9e15 a double has no fraction. */
static bool is_whole(double value) {
  return value >= 9e15 || value <= -9e15 || value == (double)(int64_t)value;
}

/* Whole numbers in 32 bits, all others as float64: what the runtime and a watch read. */
static void put_decimal(writer *w, const uint8_t *at, const uint8_t *end) {
  double value = json_number(at, end);
  bool isWhole = value >= -2147483648.0 && value <= 4294967295.0 && is_whole(value);
  int64_t whole = isWhole ? (int64_t)value : 0;
  if (isWhole && whole >= 0) put_uint(w, (uint32_t)whole);
  else if (isWhole && whole >= -32) put_byte(w, (uint32_t)whole & 0xff);
  else if (isWhole && whole >= -128) put_byte(w, 0xd0), put_number(w, (uint64_t)whole & 0xff, 1);
  else if (isWhole && whole >= -32768) put_byte(w, 0xd1), put_number(w, (uint64_t)whole & 0xffff, 2);
  else if (isWhole) put_byte(w, 0xd2), put_number(w, (uint64_t)whole & 0xffffffff, 4);
  else {
    uint64_t bits;
    memcpy(&bits, &value, 8);
    put_byte(w, 0xcb);
    put_number(w, bits, 8);
  }
}

static bool put_value(writer *w, const uint8_t *schema, json j);

/* An object's values in declared order, nil for an absent one, none after the last; j stands at its brace. */
static bool put_object(writer *w, const uint8_t *schema, json j, uint32_t first, uint32_t tool) {
  uint32_t properties = u16_at(schema + 1), length = 0;
  for (int pass = 0; pass < 2; pass++) {
    if (pass) {
      put_list(w, first + length);
      if (first) put_uint(w, tool);
    }
    const uint8_t *at = schema + 3;
    uint32_t found = 0, pairs = 0;
    for (uint32_t i = 0; i < properties; i++) {
      property one = property_at(at);
      const uint8_t *key = one.key, *inner = one.inner;
      at = schema_end(inner);
      bool isThere = false;
      pairs = 0;
      for (json in = {j.at + 1, j.end}; in.at < j.end && *in.at == '"'; pairs++) {
        const uint8_t *keyEnd = json_end((json){in.at, j.end});
        bool isKey = keyEnd - in.at == inner - key && !memcmp(in.at, key, (size_t)(inner - key));
        json value = {keyEnd + 1, j.end};
        if (isKey && !pass && !isThere) length = i + 1;
        if (isKey && pass && !isThere && !put_value(w, inner, value)) return false;
        isThere = isThere || isKey;
        in.at = json_end(value);
        if (in.at < j.end && *in.at == ',') in.at++;
      }
      if (one.isRequired && !isThere) return false;
      found += isThere;
      if (pass && !isThere && i < length) put_byte(w, 0xc0);
    }
    if (properties ? found != pairs : j.end - j.at > 1 && j.at[1] == '"') return false;
  }
  return true;
}

static bool put_value(writer *w, const uint8_t *schema, json j) {
  j.end = json_end(j);
  if (j.at >= j.end) return false;
  bool isText = *j.at == '"', isNumber = *j.at == '-' || (*j.at >= '0' && *j.at <= '9');
  switch (*schema) {
    case schema_string:
      if (isText) put_string(w, j.at + 1, j.end - 1);
      return isText;
    case schema_number:
    case schema_integer:
      if (!isNumber || (*schema == schema_integer && !is_whole(json_number(j.at, j.end)))) return false;
      put_decimal(w, j.at, j.end);
      return true;
    case schema_boolean:
      if (*j.at != 't' && *j.at != 'f') return false;
      put_byte(w, *j.at == 't' ? 0xc3 : 0xc2);
      return true;
    case schema_enum: {
      const uint8_t *at = schema + 3;
      for (uint32_t i = 0, n = u16_at(schema + 1); i < n; i++, at += 2 + u16_at(at)) {
        if (u16_at(at) != (uint32_t)(j.end - j.at) || memcmp(at + 2, j.at, (size_t)(j.end - j.at))) continue;
        put_uint(w, i);
        return true;
      }
      return false;
    }
    case schema_array:
    case schema_tuple: {
      if (*j.at != '[') return false;
      uint32_t count = 0;
      for (int pass = 0; pass < 2; pass++) {
        if (pass) put_list(w, count);
        uint32_t place = 0;
        for (json in = {j.at + 1, j.end - 1}; in.at < in.end;) {
          if (!pass) count++;
          else if (!put_value(w, schema_item(schema, place++), in)) return false;
          in.at = json_end(in);
          if (in.at < in.end && *in.at == ',') in.at++;
        }
      }
      return true;
    }
    case schema_object:
      return *j.at == '{' && put_object(w, schema, (json){j.at, j.end - 1}, 0, 0);
    case schema_default:
      return put_value(w, schema + 3 + u16_at(schema + 1), j);
    default: {
      const uint8_t *at = schema + 3;
      for (uint32_t i = 0, n = u16_at(schema + 1); i < n; i++, at = schema_end(at)) {
        writer before = *w;
        put_list(w, 2);
        put_uint(w, i);
        if (put_value(w, at, j)) return true;
        *w = before;
      }
      return false;
    }
  }
}

bool has_value(const uint8_t *schema, json j) {
  writer none = {NULL, 0, 0, false};
  return put_value(&none, schema, j);
}

static const uint8_t *tool_row(const thimble_model *m, uint32_t tool) {
  return m->parts[part_tools].at + 28 * tool;
}

uint32_t tool_of(const thimble_model *m, thimble_span text) {
  static const uint32_t nameAt = sizeof BEFORE_NAME - 1;
  for (uint32_t i = 0; i < m->nTools; i++) {
    thimble_span name = text_at(m, tool_row(m, i));
    if (name.bytes <= text.bytes - nameAt && !memcmp(text.at + nameAt, name.at, name.bytes)) return i;
  }
  return 0;
}

/* Finds the calls' ends anew: a way out, and text beyond the rule, were written without looking for them. */
static void find_calls(call *c) {
  state s = grammar_start();
  c->nCalls = 0;
  for (uint32_t i = 0; i < c->textBytes && grammar_step(c->m, &s, c->text[i]); i++)
    if (is_after_call(&s) && c->nCalls < c->answerTokens) c->callEnds[c->nCalls++] = (uint16_t)(i + 1);
}

const char *write_result(call *c, thimble_answer *answer) {
  const thimble_model *m = c->m;
  find_calls(c);
  writer w = {c->engine.rest, 0, c->engine.restBytes, false};
  static const char tooLong[] = "answer: expected room in the arena for the calls, got less; allow more tokens of request";
  put_byte(&w, '[');
  for (uint32_t i = 0; i < c->nCalls; i++) {
    thimble_span text = call_text(c, i);
    uint32_t tool = tool_of(m, text);
    thimble_span opening = text_at(m, tool_row(m, tool)), name = text_at(m, tool_row(m, tool) + 8);
    if (i) put_byte(&w, ',');
    put(&w, BEFORE_NAME, sizeof BEFORE_NAME - 1);
    put(&w, name.at, name.bytes);
    put(&w, AFTER_NAME, sizeof AFTER_NAME - 2);
    put(&w, text.at + 8 + opening.bytes - 1, text.bytes - 8 - opening.bytes + 1);
  }
  put_byte(&w, ']');
  answer->json = (const char *)c->engine.rest;
  answer->jsonBytes = w.bytes;
  put_byte(&w, 0);
  answer->calls = c->engine.rest + w.bytes;
  uint32_t start = w.bytes;
  put_list(&w, c->nCalls);
  for (uint32_t i = 0; i < c->nCalls; i++) {
    thimble_span text = call_text(c, i);
    uint32_t tool = tool_of(m, text);
    const uint8_t *row = tool_row(m, tool), *args = text.at + 8 + text_at(m, row).bytes - 1;
    /* Up to the brace that closes the arguments; the call's own follows. */
    json object = {args, text.at + text.bytes - 2};
    if (!put_object(&w, m->parts[part_schemas].at + u32_at(row + 24), object, 1, tool))
      return "answer: expected values of the tables' schemas, got others; read the tools again";
  }
  answer->callsBytes = w.bytes - start;
  answer->nCalls = c->nCalls;
  uint32_t at = padded(w.bytes, 8);
  thimble_sureness *sure = (thimble_sureness *)(c->engine.rest + at);
  if (w.isFull || at + c->nCalls * sizeof *sure > w.most) return tooLong;
  answer->sure = sure;
  answer->decision = rate_calls(c, answer->cutShort, sure);
  return NULL;
}
