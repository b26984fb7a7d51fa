/* The values of enums that a request says, put into the choice of what a call holds. Source: runtime/answer/enums.ts, arguments.ts. */
#include "call.h"
#include "json.h"

enum { leastLetters = 3, leastStem = 4, mostCommon = 8 };

/* A property of the arguments and its enum, at its first value; NULL for another schema. */
typedef struct {
  property is;
  const uint8_t *values;
  uint32_t count;
} enumerated;

static uint32_t property_count(const enums *e) {
  uint32_t n = u16_at(e->schema + 1);
  return n < mostProperties ? n : mostProperties;
}

static enumerated enum_at(const enums *e, uint32_t which) {
  const uint8_t *at = e->schema + 3;
  while (which--) at = schema_end(property_at(at).inner);
  enumerated found = {property_at(at), NULL, 0};
  const uint8_t *schema = found.is.inner;
  if (*schema == schema_default) schema += 3 + u16_at(schema + 1);
  if (*schema == schema_enum) {
    found.count = u16_at(schema + 1);
    found.values = schema + 3;
  }
  return found;
}

/* The value at a place, and the place of the next. */
static thimble_span next_enum(const uint8_t **at) {
  thimble_span value = {*at + 2, u16_at(*at)};
  *at = value.at + value.bytes;
  return value;
}

static bool is_word(uint32_t point) {
  return (class_of(point) & (class_letter | class_number)) != 0;
}

static uint8_t small_byte(uint8_t byte) {
  return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
}

/* The next word of a value from a place on; one also begins at a capital after a small letter. */
static thimble_span value_word(thimble_span value, uint32_t *at) {
  uint32_t size, start;
  for (; *at < value.bytes; *at += size)
    if (is_word(point_at(value.at + *at, &size))) break;
  for (start = *at; *at < value.bytes; *at += size) {
    const uint8_t *here = value.at + *at;
    bool isJoint = *at > start && here[-1] >= 'a' && here[-1] <= 'z' && *here >= 'A' && *here <= 'Z';
    if (isJoint || !is_word(point_at(here, &size))) break;
  }
  return (thimble_span){value.at + start, *at - start};
}

/* A word without an "s" at its end. */
static uint32_t stem(const uint8_t *word, uint32_t bytes) {
  return units_in(word, bytes) >= leastStem && small_byte(word[bytes - 1]) == 's' ? bytes - 1 : bytes;
}

static bool is_same(thimble_span word, const uint8_t *small, uint32_t bytes) {
  uint32_t n = stem(word.at, word.bytes), at = 0, size;
  uint8_t point[4];
  bytes = stem(small, bytes);
  for (uint32_t i = 0; i < n; i += size) {
    uint32_t length = write_point(small_point(word.at + i, &size), point);
    if (length > bytes - at || memcmp(point, small + at, length)) return false;
    at += length;
  }
  return at == bytes;
}

/* Whether a value is more than a few letters, or than words that any request has. */
static bool is_telling(thimble_span value) {
  uint32_t letters = 0, at = 1;
  bool isCommon = true;
  uint8_t small[mostCommon];
  for (thimble_span word; (word = value_word(value, &at)).bytes;) {
    letters += units_in(word.at, word.bytes);
    for (uint32_t i = 0; i < word.bytes && i < mostCommon; i++) small[i] = small_byte(word.at[i]);
    isCommon = isCommon && word.bytes <= mostCommon && is_common(small, word.bytes);
  }
  return value.at[0] == '"' && letters >= leastLetters && !isCommon;
}

/* Whether a request in small letters says a value's words side by side. */
static bool says(const uint8_t *request, uint32_t bytes, thimble_span value) {
  uint32_t first = 0, next;
  for (; next_word(request, bytes, &first, &next); first = next) {
    uint32_t at = 1, place = first, after = first;
    bool isSame = true;
    for (thimble_span word; isSame && (word = value_word(value, &at)).bytes; place = after) {
      isSame = next_word(request, bytes, &place, &after) && is_same(word, request + place, after - place);
    }
    if (isSame) return true;
  }
  return false;
}

/* Bits of the values that the request says, if it says some of them but not all, and all are such that it could. */
static uint64_t said_of(const enumerated *one, const uint8_t *request, uint32_t bytes, uint32_t *count) {
  uint64_t said = 0;
  const uint8_t *at = one->values;
  *count = 0;
  if (!at || one->count > mostValues) return 0;
  for (uint32_t i = 0; i < one->count; i++) {
    thimble_span value = next_enum(&at);
    if (!is_telling(value)) return 0;
    if (!says(request, bytes, value)) continue;
    said |= (uint64_t)1 << i;
    ++*count;
  }
  return *count == one->count ? 0 : said;
}

/* Whether the answer holds the first value that is said, ASCII letters' case aside. */
static bool is_written(const call *c, const enumerated *one, uint64_t said) {
  const uint8_t *at = one->values;
  thimble_span value = next_enum(&at);
  for (; !(said & 1); said >>= 1) value = next_enum(&at);
  for (uint32_t start = 0; start + value.bytes - 2 <= c->textBytes; start++) {
    uint32_t same = 0;
    while (same < value.bytes - 2 && small_byte(c->text[start + same]) == small_byte(value.at[1 + same])) same++;
    if (same == value.bytes - 2) return true;
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

/* Whether a string under a key, whole or as far as it goes, is none of its values that are said. */
static bool is_unsaid(const call *c, thimble_span piece, const arguments *a, uint32_t end, bool isWhole) {
  if (a->property >= mostProperties || !(c->enums->some >> a->property & 1)) return false;
  enumerated one = enum_at(c->enums, a->property);
  const uint8_t *at = one.values;
  uint32_t bytes = end - a->string;
  for (uint64_t said = c->enums->values[a->property]; said; said >>= 1) {
    thimble_span value = next_enum(&at);
    bool fits = isWhole ? bytes == value.bytes : bytes <= value.bytes;
    if (said & 1 && fits && is_span(c, piece, a->string, bytes, value.at)) return false;
  }
  return true;
}

/* Reads on to a place; whether that begins, continues or ends a value that is not said. */
static bool read_on(const call *c, thimble_span piece, arguments *a, uint32_t from, uint32_t to) {
  bool isUnsaid = false;
  for (uint32_t at = from; at < to && !a->isClosed; at++) {
    uint8_t byte = byte_with(c, piece, at);
    if (a->inString) {
      a->inString = byte != '"' || a->isEscaped;
      a->isEscaped = byte == '\\' && !a->isEscaped;
      if (a->inString || a->depth) continue;
      if (a->hasKey) isUnsaid = is_unsaid(c, piece, a, at + 1, true) || isUnsaid;
      else {
        a->hasKey = true;
        a->property = property_of(c, piece, a->string, at + 1 - a->string);
        if (a->property < mostProperties) a->keys |= 1u << a->property;
      }
    } else if (byte == '"') {
      a->inString = true;
      a->string = at;
    } else if (byte == '{' || byte == '[') a->depth++;
    else if (byte == '}' || byte == ']') a->isClosed = !a->depth--;
    else if (byte == ',' && !a->depth) a->hasKey = false;
  }
  bool isOpen = a->inString && !a->depth && a->hasKey && to > from;
  return (isOpen && is_unsaid(c, piece, a, to, false)) || isUnsaid;
}

bool find_enums(call *c) {
  static const uint32_t nameAt = 8;  /* {"name": */
  const thimble_model *m = c->m;
  uint32_t start = c->nCalls ? c->callEnds[c->nCalls - 1] + 1u : 2u;
  if (c->textBytes <= start + nameAt) return false;
  thimble_span open = {c->text + start, c->textBytes - start};
  const uint8_t *row = m->parts[part_tools].at + 28 * tool_of(m, open);
  thimble_span opening = text_at(m, row);
  if (open.bytes < nameAt + opening.bytes || memcmp(open.at + nameAt, opening.at, opening.bytes)) return false;
  enums *e = c->enums;
  e->some = e->due = 0;
  e->schema = m->parts[part_schemas].at + u32_at(row + 24);
  uint32_t bytes = small_text(c->request, c->requestBytes, c->scratch), n = property_count(e);
  for (uint32_t i = 0; i < n; i++) {
    enumerated one = enum_at(e, i);
    uint32_t count;
    e->values[i] = said_of(&one, c->scratch, bytes, &count);
    if (!e->values[i]) continue;
    e->some |= 1u << i;
    if (count == 1 && !one.is.isRequired && !is_written(c, &one, e->values[i])) e->due |= 1u << i;
  }
  if (!e->some) return false;
  memset(&e->before, 0, sizeof e->before);
  read_on(c, (thimble_span){NULL, 0}, &e->before, start + nameAt + opening.bytes, c->textBytes);
  return true;
}

bool leads_past_enum(const call *c, uint32_t id) {
  thimble_span bytes = piece(c->m, id);
  arguments after = c->enums->before;
  bool isUnsaid = read_on(c, bytes, &after, c->textBytes, c->textBytes + bytes.bytes);
  return isUnsaid || (after.isClosed && c->enums->due & ~after.keys);
}
