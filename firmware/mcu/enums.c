/* The values of enums that a request says, put into the choice of what a call holds. Source: runtime/answer/enums.ts, arguments.ts. */
#include "small.h"

#include "values.h"

/* In halves of a price. */
enum { early = 1, unsaid = 2, again = 4, broken = 4, beyond = 10 };
static const uint64_t any = ~(uint64_t)0;

static uint8_t spaced(uint8_t byte) {
  return byte == '_' ? ' ' : small_byte(byte);
}

/* Whether the answer between two places holds a value, without its quotes, letter case and underscores aside. */
static bool holds_value(const call *c, uint32_t from, uint32_t to, thimble_span value) {
  uint32_t bytes = value.bytes - 2, same;
  for (uint32_t start = from; start + bytes <= to; start++) {
    for (same = 0; same < bytes && spaced(c->text[start + same]) == spaced(value.at[1 + same]);) same++;
    if (same == bytes) return true;
  }
  return false;
}

/* Whether the answer between two places holds a key with a value. */
static bool holds_pair(const call *c, uint32_t from, uint32_t to, const property *key, thimble_span value) {
  uint32_t keyBytes = (uint32_t)(key->inner - key->key), bytes = keyBytes + 1 + value.bytes;
  for (uint32_t start = from; start + bytes <= to; start++) {
    const uint8_t *at = c->text + start;
    if (!memcmp(at, key->key, keyBytes) && at[keyBytes] == ':' && !memcmp(at + keyBytes + 1, value.at, value.bytes)) return true;
  }
  return false;
}

static bool is_span(const call *c, thimble_span piece, uint32_t start, uint32_t bytes, const uint8_t *text) {
  for (uint32_t i = 0; i < bytes; i++)
    if (byte_with(c, piece, start + i) != text[i]) return false;
  return true;
}

/* The property of a key, with its quotes; mostProperties for another. */
static uint32_t property_of(const call *c, thimble_span piece, uint32_t start, uint32_t bytes) {
  const uint8_t *at = c->enums->schema + 3;
  uint32_t n = property_count(c->enums);
  for (uint32_t i = 0; i < n; i++) {
    property one = property_at(at);
    if ((uint32_t)(one.inner - one.key) == bytes && is_span(c, piece, start, bytes, one.key)) return i;
    at = schema_end(one.inner);
  }
  return mostProperties;
}

/* Whether the request says something of the enum under the key, by bits of properties. */
static bool is_among(uint32_t some, const arguments *a) {
  return a->property < mostProperties && some >> a->property & 1;
}

/* Which of some values a string under a key is, whole or as far as it goes; mostValues for none. */
static uint32_t value_among(const call *c, thimble_span piece, const arguments *a, uint32_t end, bool isWhole, uint64_t some) {
  enumerated one = enum_at(c->enums, a->property);
  uint32_t bytes = end - a->string;
  for (uint32_t i = 0; i < one.count && some >> i; i++) {
    thimble_span value = next_enum(&one.values);
    bool fits = isWhole ? bytes == value.bytes : bytes <= value.bytes;
    if (some >> i & 1 && fits && is_span(c, piece, a->string, bytes, value.at)) return i;
  }
  return mostValues;
}

/* What a string under a key, whole or as far as it goes, costs: none of its values that are said and not in the list yet, or before its turn. */
static uint32_t price_of(const call *c, thimble_span piece, const arguments *a, uint32_t end, bool isWhole) {
  const enums *e = c->enums;
  if (!is_among(e->some, a)) return 0;
  uint32_t which = a->property;
  if (value_among(c, piece, a, end, isWhole, e->allowed[which] & ~a->written) == mostValues) {
    bool isOld = value_among(c, piece, a, end, isWhole, any & ~a->written) == mostValues;
    return isOld && value_among(c, piece, a, end, isWhole, a->written) < mostValues ? again : unsaid;
  }
  uint64_t left = e->ordered >> which & 1 ? e->values[which] & ~a->written : 0;
  if (!left || value_among(c, piece, a, end, isWhole, first_left(c, which, left)) < mostValues) return 0;
  return e->whole >> which & 1 ? unsaid : early;
}

/* What the end of a list costs: a group that is not whole. */
static uint32_t price_of_end(const enums *e, const arguments *a) {
  return a->hasKey && is_among(e->some & e->whole, a) && e->values[a->property] & ~a->written ? broken : 0;
}

/* Notes a whole string of a list. What counts is not known yet where the call is read up to where it stands. */
static void note_written(const call *c, thimble_span piece, arguments *a, uint32_t end) {
  if (!a->inList || !is_among(c->enums->all, a)) return;
  uint32_t i = value_among(c, piece, a, end, true, any);
  if (i < mostValues) a->written |= (uint64_t)1 << i;
}

static uint32_t larger(uint32_t one, uint32_t other) {
  return one > other ? one : other;
}

/* Reads on to a place; what that costs, in halves of a price. */
static uint32_t read_on(const call *c, thimble_span piece, arguments *a, uint32_t from, uint32_t to) {
  uint32_t price = 0;
  for (uint32_t at = from; at < to && !a->isClosed; at++) {
    uint8_t byte = byte_with(c, piece, at);
    if (a->inString) {
      a->inString = byte != '"' || a->isEscaped;
      a->isEscaped = byte == '\\' && !a->isEscaped;
      if (a->inString || a->depth != a->inList) continue;
      if (a->hasKey) {
        price = larger(price, price_of(c, piece, a, at + 1, true));
        note_written(c, piece, a, at + 1);
      } else if (!a->depth) {
        a->hasKey = true;
        a->property = property_of(c, piece, a->string, at + 1 - a->string);
        if (a->nKeys++ == c->enums->before.nKeys) a->begun = a->property;
        if (a->property < mostProperties) a->keys |= 1u << a->property;
      }
    } else if (byte == '"') {
      a->inString = true;
      a->string = at;
    } else if (byte == '{' || byte == '[') {
      if (a->depth++) continue;
      a->inList = byte == '[';
      a->written = 0;
    } else if (byte == '}' || byte == ']') {
      if (a->depth == 1 && a->inList) price = larger(price, price_of_end(c->enums, a));
      a->isClosed = !a->depth--;
      if (!a->depth) a->inList = a->written = 0;
    } else if (byte == ',' && !a->depth) a->hasKey = false;
  }
  bool isOpen = a->inString && a->depth == a->inList && a->hasKey && to > from;
  return isOpen ? larger(price, price_of(c, piece, a, to, false)) : price;
}

/* What stands in the call already, or in one before of the same tool, says nothing of what comes: of a list all in one before. */
static void note_open(call *c, uint32_t first, uint32_t from, uint32_t args) {
  enums *e = c->enums;
  e->some = e->due = 0;
  for (uint32_t i = 0; i < mostProperties; i++) {
    if (!(e->all >> i & 1)) continue;
    enumerated one = enum_at(e, i);
    const uint8_t *at = one.values;
    bool isSpent = e->values[i] != 0, isWritten = !isSpent && holds_pair(c, first, from, &one.is, (thimble_span){one.is.key, 0});
    for (uint64_t said = e->values[i]; said; said >>= 1) {
      thimble_span value = next_enum(&at);
      if (!(said & 1)) continue;
      isSpent = isSpent && (one.isList ? holds_value(c, first, from, value)
                                       : holds_pair(c, first, from, &one.is, value) || holds_value(c, args, c->textBytes, value));
      isWritten = isWritten || holds_value(c, 0, c->textBytes, value);
    }
    if (!isSpent) e->some |= 1u << i;
    if (e->alone >> i & 1 && !(e->before.keys >> i & 1) && !isWritten) e->due |= 1u << i;
  }
}

bool find_enums(call *c) {
  static const uint32_t nameAt = 8;  /* {"name": */
  const thimble_model *m = c->m;
  enums *e = c->enums;
  uint32_t start = c->nCalls ? c->callEnds[c->nCalls - 1] + 1u : 2u;
  if (c->textBytes <= start + nameAt) return false;
  thimble_span open = {c->text + start, c->textBytes - start};
  const uint8_t *row = m->parts[part_tools].at + 28 * tool_of(m, open);
  thimble_span opening = text_at(m, row);
  uint32_t bytes = nameAt + opening.bytes, first = 2;
  if (open.bytes < bytes || memcmp(open.at + nameAt, opening.at, opening.bytes)) return false;
  const uint8_t *schema = m->parts[part_schemas].at + u32_at(row + 24);
  if (e->schema != schema) {
    e->schema = schema;
    note_said(c);
  }
  if (!e->all) return false;
  while (first < start && memcmp(c->text + first, open.at, bytes)) first++;
  memset(&e->before, 0, sizeof e->before);
  read_on(c, (thimble_span){NULL, 0}, &e->before, start + bytes, c->textBytes);
  note_open(c, first, start, start + bytes);
  e->from = start;
  return true;
}

/* Whether a key that a piece begins or goes on with is one that is owed; also where there is none. */
static bool is_owed(const call *c, thimble_span piece, const arguments *after) {
  const enums *e = c->enums;
  bool isOpen = after->inString && !after->depth && !after->hasKey;
  if (after->nKeys > e->before.nKeys) return after->begun < mostProperties && e->owed >> after->begun & 1;
  for (uint32_t i = 0; isOpen && i < mostProperties; i++) {
    if (!(e->owed >> i & 1)) continue;
    property one = enum_at(e, i).is;
    uint32_t bytes = c->textBytes + piece.bytes - after->string;
    if (bytes <= (uint32_t)(one.inner - one.key) && is_span(c, piece, after->string, bytes, one.key)) return true;
  }
  return !isOpen;
}

/* The arguments with a piece; what it costs, in halves of a price. */
static uint32_t read_piece(const call *c, thimble_span piece, arguments *after) {
  *after = c->enums->before;
  return read_on(c, piece, after, c->textBytes, c->textBytes + piece.bytes);
}

double enum_prices(const call *c, uint32_t id) {
  const enums *e = c->enums;
  thimble_span bytes = piece(c->m, id);
  arguments after;
  uint32_t price = read_piece(c, bytes, &after);
  if (after.isClosed && e->due & ~after.keys) price = larger(price, unsaid);
  if (e->owed && e->owedFrom == e->from && e->owedKeys == e->before.nKeys && !is_owed(c, bytes, &after)) price += beyond;
  return price * 0.5;
}

static bool closes(const call *c, uint32_t id) {
  arguments after;
  read_piece(c, piece(c->m, id), &after);
  return after.isClosed;
}

void note_choice(const call *c, uint32_t id, uint32_t plain) {
  enums *e = c->enums;
  if (id == plain || !e->due || !closes(c, plain) || closes(c, id)) return;
  e->owed = e->due;
  e->owedFrom = e->from;
  e->owedKeys = e->before.nKeys;
}
