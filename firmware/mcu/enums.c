/* The values of enums that a request says, put into the choice of what a call holds. Source: runtime/answer/enums.ts, arguments.ts. */
#include "call.h"
#include "json.h"

enum { leastLetters = 3, mostCommon = 8, beyond = 5, leastDays = 5 };

/* A property of the arguments and the values of its enum, of a list of it, of what may be null too; NULL for another schema. */
typedef struct {
  property is;
  const uint8_t *values;
  uint32_t count;
  bool isList;
} enumerated;

static uint32_t property_count(const enums *e) {
  uint32_t n = u16_at(e->schema + 1);
  return n < mostProperties ? n : mostProperties;
}

static bool is_null(thimble_span value) {
  return value.bytes == 4 && value.at[0] == 'n';
}

static bool is_only_null(const uint8_t *schema) {
  return *schema == schema_enum && u16_at(schema + 1) == 1 && is_null((thimble_span){schema + 5, u16_at(schema + 3)});
}

static enumerated enum_at(const enums *e, uint32_t which) {
  const uint8_t *at = e->schema + 3;
  while (which--) at = schema_end(property_at(at).inner);
  enumerated found = {property_at(at), NULL, 0, false};
  const uint8_t *schema = found.is.inner;
  if (*schema == schema_default) schema += 3 + u16_at(schema + 1);
  if (*schema == schema_anyOf && u16_at(schema + 1) == 2) {
    const uint8_t *first = schema + 3, *second = schema_end(first);
    bool isFirst = is_only_null(second);
    if (isFirst == is_only_null(first)) return found;
    schema = isFirst ? first : second;
  }
  found.isList = *schema == schema_array;
  schema += found.isList;
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

/* The next word of a value from a place on; one also begins at a capital after a small letter. */
static thimble_span value_word(thimble_span value, uint32_t *at) {
  uint32_t size, start;
  for (; *at < value.bytes; *at += size)
    if (is_of_word(point_at(value.at + *at, &size))) break;
  for (start = *at; *at < value.bytes; *at += size) {
    const uint8_t *here = value.at + *at;
    bool isJoint = *at > start && here[-1] >= 'a' && here[-1] <= 'z' && *here >= 'A' && *here <= 'Z';
    if (isJoint || !is_of_word(point_at(here, &size))) break;
  }
  return (thimble_span){value.at + start, *at - start};
}

/* A word without an "s" at its end. */
static uint32_t stem(const uint8_t *word, uint32_t bytes) {
  return units_in(word, bytes) >= leastStem && small_byte(word[bytes - 1]) == 's' ? bytes - 1 : bytes;
}

static bool is_same(thimble_span word, thimble_span other) {
  word.bytes = stem(word.at, word.bytes);
  other.bytes = stem(other.at, other.bytes);
  return end_of_part(word, 0, other) == word.bytes;
}

/* Whether a value's word is the beginning of the day that the request says: "mon". */
static bool is_day(thimble_span word, thimble_span said) {
  static const char days[7][10] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
  for (uint32_t i = 0; i < 7 && word.bytes >= leastLetters; i++) {
    thimble_span day = {(const uint8_t *)days[i], (uint32_t)strlen(days[i])};
    if (is_same(day, said) && end_of_part(day, 0, word)) return true;
  }
  return false;
}

/* Whether one begins the other, and is no stub. */
static bool is_akin_word(thimble_span word, thimble_span other) {
  uint32_t same = end_of_part(word, 0, other);
  if (!same && end_of_part(other, 0, word)) same = word.bytes;
  return units_in(word.at, same) >= leastStem;
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

/* A word of the request from a place on, which moves to it and, past the word, `after`. */
static thimble_span request_word(const call *c, uint32_t *at, uint32_t *after) {
  bool isThere = next_word(c->request, c->requestBytes, at, after) != 0;
  return (thimble_span){c->request + *at, isThere ? *after - *at : 0};
}

/* Whether the request says a value's words side by side. */
static bool says(const call *c, thimble_span value, bool hasDays) {
  for (uint32_t first = 0, next; request_word(c, &first, &next).bytes; first = next) {
    uint32_t at = 1, place = first, after;
    bool isSame = true;
    for (thimble_span word; isSame && (word = value_word(value, &at)).bytes; place = after) {
      thimble_span other = request_word(c, &place, &after);
      isSame = other.bytes && (is_same(word, other) || (hasDays && is_day(word, other)));
    }
    if (isSame) return true;
  }
  return false;
}

/* Whether the request has a word of a value in another form. */
static bool hints(const call *c, thimble_span value) {
  uint32_t at = 1, after;
  for (thimble_span word; (word = value_word(value, &at)).bytes;)
    for (uint32_t place = 0; request_word(c, &place, &after).bytes; place = after)
      if (is_akin_word(word, (thimble_span){c->request + place, after - place})) return true;
  return false;
}

/* Notes what the request says of a property's enum: some values but not all, and all such that it could. */
static void note_said(const call *c, uint32_t which) {
  enums *e = c->enums;
  enumerated one = enum_at(e, which);
  const uint8_t *at = one.values;
  uint64_t said = 0, akin = 0;
  uint32_t count = 0, others = 0;
  if (!at || one.count > mostValues) return;
  for (uint32_t i = 0; i < one.count; i++) {
    thimble_span value = next_enum(&at);
    if (is_null(value)) continue;
    if (!is_telling(value)) return;
    bool isSaid = says(c, value, one.count >= leastDays);
    count += isSaid;
    others += !isSaid;
    if (isSaid) said |= (uint64_t)1 << i;
    else if (hints(c, value)) akin |= (uint64_t)1 << i;
  }
  if (!count || !others) return;
  e->values[which] = said;
  e->allowed[which] = said | akin;
  e->all |= 1u << which;
  if ((one.isList || count == 1) && !one.is.isRequired) e->alone |= 1u << which;
}

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
  const uint8_t *at = enum_at(c->enums, a->property).values;
  uint32_t bytes = end - a->string;
  for (uint32_t i = 0; i < mostValues && some >> i; i++) {
    thimble_span value = next_enum(&at);
    bool fits = isWhole ? bytes == value.bytes : bytes <= value.bytes;
    if (some >> i & 1 && fits && is_span(c, piece, a->string, bytes, value.at)) return i;
  }
  return mostValues;
}

/* Whether a string under a key, whole or as far as it goes, is none of its values that are allowed and not in the list yet. */
static bool is_unsaid(const call *c, thimble_span piece, const arguments *a, uint32_t end, bool isWhole) {
  const enums *e = c->enums;
  return is_among(e->some, a) && value_among(c, piece, a, end, isWhole, e->allowed[a->property] & ~a->written) == mostValues;
}

/* Notes a whole string of a list. What counts is not known yet where the call is read up to where it stands. */
static void note_written(const call *c, thimble_span piece, arguments *a, uint32_t end) {
  if (!a->inList || !is_among(c->enums->all, a)) return;
  uint32_t i = value_among(c, piece, a, end, true, c->enums->allowed[a->property]);
  if (i < mostValues) a->written |= (uint64_t)1 << i;
}

/* Reads on to a place; whether that begins, continues or ends a value that is not said. */
static bool read_on(const call *c, thimble_span piece, arguments *a, uint32_t from, uint32_t to) {
  bool isUnsaid = false;
  for (uint32_t at = from; at < to && !a->isClosed; at++) {
    uint8_t byte = byte_with(c, piece, at);
    if (a->inString) {
      a->inString = byte != '"' || a->isEscaped;
      a->isEscaped = byte == '\\' && !a->isEscaped;
      if (a->inString || a->depth != a->inList) continue;
      if (a->hasKey) {
        isUnsaid = is_unsaid(c, piece, a, at + 1, true) || isUnsaid;
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
      a->isClosed = !a->depth--;
      if (!a->depth) a->inList = a->written = 0;
    } else if (byte == ',' && !a->depth) a->hasKey = false;
  }
  bool isOpen = a->inString && a->depth == a->inList && a->hasKey && to > from;
  return (isOpen && is_unsaid(c, piece, a, to, false)) || isUnsaid;
}

/* What stands in the call already, or in one before of the same tool, says nothing of what comes: of a list all in one before. */
static void note_open(call *c, uint32_t first, uint32_t from, uint32_t args) {
  enums *e = c->enums;
  e->some = e->due = 0;
  for (uint32_t i = 0; i < mostProperties; i++) {
    if (!(e->all >> i & 1)) continue;
    enumerated one = enum_at(e, i);
    const uint8_t *at = one.values;
    bool isSpent = true, isWritten = false;
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
    e->all = e->alone = 0;
    for (uint32_t i = 0; i < property_count(e); i++) note_said(c, i);
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

/* The arguments with a piece; whether that begins, continues or ends a value that is not said. */
static bool read_piece(const call *c, thimble_span piece, arguments *after) {
  *after = c->enums->before;
  return read_on(c, piece, after, c->textBytes, c->textBytes + piece.bytes);
}

double enum_prices(const call *c, uint32_t id) {
  const enums *e = c->enums;
  thimble_span bytes = piece(c->m, id);
  arguments after;
  bool isUnsaid = read_piece(c, bytes, &after);
  bool isOwing = e->owed && e->owedFrom == e->from && e->owedKeys == e->before.nKeys;
  return (isUnsaid || (after.isClosed && e->due & ~after.keys)) + (isOwing && !is_owed(c, bytes, &after) ? beyond : 0);
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
