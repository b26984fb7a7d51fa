/* The values of enums, and which of them a request says. Source: runtime/answer/enums.ts. */
#include "small.h"

#include "values.h"

#include "said.h"
#include "units.h"

enum { leastLetters = 3, mostCommon = 8, leastDays = 5, leastOfDay = 2 };

uint32_t property_count(const enums *e) {
  uint32_t n = u16_at(e->schema + 1);
  return n < mostProperties ? n : mostProperties;
}

static bool is_null(thimble_span value) {
  return value.bytes == 4 && value.at[0] == 'n';
}

static bool is_only_null(const uint8_t *schema) {
  return *schema == schema_enum && u16_at(schema + 1) == 1 && is_null((thimble_span){schema + 5, u16_at(schema + 3)});
}

enumerated enum_at(const enums *e, uint32_t which) {
  const uint8_t *at = e->schema + 3;
  while (which--) at = schema_end(property_at(at).inner);
  enumerated found = {property_at(at), NULL, 0, false, false};
  const uint8_t *schema = found.is.inner;
  if (*schema == schema_default) schema += 3 + u16_at(schema + 1);
  if (*schema == schema_anyOf && u16_at(schema + 1) == 2) {
    const uint8_t *first = schema + 3, *second = schema_end(first);
    bool isFirst = is_only_null(second);
    if (isFirst == is_only_null(first)) return found;
    schema = isFirst ? first : second;
  }
  found.isSwitch = *schema == schema_boolean;
  found.isList = *schema == schema_array;
  schema += found.isList;
  if (*schema == schema_enum) {
    found.count = u16_at(schema + 1);
    found.values = schema + 3;
  }
  return found;
}

thimble_span next_enum(const uint8_t **at) {
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

uint32_t stem(thimble_span word) {
  bool isMany = units_in(word.at, word.bytes) >= leastStem && small_byte(word.at[word.bytes - 1]) == 's';
  return word.bytes - isMany;
}

static bool is_same(thimble_span word, thimble_span other) {
  word.bytes = stem(word);
  other.bytes = stem(other);
  return end_of_part(word, 0, other) == word.bytes;
}

/* Whether one begins the other, and is no stub. */
static bool is_akin_word(thimble_span word, thimble_span other) {
  uint32_t same = end_of_part(word, 0, other);
  if (!same && end_of_part(other, 0, word)) same = word.bytes;
  return units_in(word.at, same) >= leastStem;
}

/* Writes a short word in small letters; its bytes, 0 for a longer one. */
static uint32_t small_word(thimble_span word, uint8_t *to) {
  if (word.bytes > mostCommon) return 0;
  for (uint32_t i = 0; i < word.bytes; i++) to[i] = small_byte(word.at[i]);
  return word.bytes;
}

/* Whether a value is more than a few letters, or than words that any request has; units are with two: "kg". */
static bool is_telling(thimble_span value) {
  uint32_t letters = 0, at = 1;
  bool isCommon = true, isUnit = false;
  uint8_t small[mostCommon];
  for (thimble_span word; (word = value_word(value, &at)).bytes;) {
    letters += units_in(word.at, word.bytes);
    uint32_t bytes = small_word(word, small);
    isCommon = isCommon && bytes && is_common(small, bytes);
    isUnit = bytes > 1 && unit_of(small, bytes);
  }
  return value.at[0] == '"' && (letters < leastLetters ? isUnit : !isCommon);
}

/* The day that a value is. */
static uint32_t day_at(thimble_span value) {
  uint32_t at = 1, end;
  thimble_span word = value.at[0] == '"' ? value_word(value, &at) : (thimble_span){NULL, 0};
  end = at;
  return word.bytes && !value_word(value, &end).bytes ? day_of(word, leastOfDay) : noDay;
}

static bool is_word(thimble_span word, const char *list) {
  return word.bytes && place_of_word(word.at, word.bytes, list) >= 0;
}

static thimble_span word_before(const call *c, uint32_t *at) {
  while (*at && !(class_before(c->request, *at) & (class_letter | class_number))) *at = before(c->request, *at);
  uint32_t end = *at;
  while (*at && class_before(c->request, *at) & (class_letter | class_number)) *at = before(c->request, *at);
  return (thimble_span){c->request + *at, end - *at};
}

/* "Not road", "not the large one"; but "why not rock", "Friday or not", "not cool enough". */
static bool is_denied(const call *c, uint32_t at, uint32_t next) {
  uint32_t after;
  thimble_span word = word_before(c, &at);
  if (is_word(word, " the a too so ")) word = word_before(c, &at);
  return is_word(word, " not ") && !is_word(word_before(c, &at), " why or ") && !is_word(request_word(c, &next, &after), " enough ");
}

/*
 * Where the request says, from a place on, a value's words side by side, or the day that it is, from 1 on; 0 where it does not.
 * Of a list also where it is denied: it may be one of what is left out.
 */
static uint32_t place_of(const call *c, thimble_span value, uint32_t day, uint32_t from, bool isList) {
  for (uint32_t first = from, next; request_word(c, &first, &next).bytes; first = next) {
    uint32_t at = 1, place = first, after;
    bool isSame = true;
    thimble_span said = {c->request + first, next - first};
    if (day < noDay && (said.bytes > leastLetters || small_byte(*said.at) != 's')) isSame = day_of(said, leastLetters) == day;
    else
      for (thimble_span word; isSame && (word = value_word(value, &at)).bytes; place = after) {
        thimble_span other = request_word(c, &place, &after);
        isSame = other.bytes && is_same(word, other);
      }
    if (isSame && (isList || day < noDay || !is_denied(c, first, next))) return first + 1;
  }
  return 0;
}

/* Whether the request has a word of a value in another form. */
static bool hints(const call *c, thimble_span value, bool isList) {
  uint32_t at = 1, after;
  for (thimble_span word; (word = value_word(value, &at)).bytes;)
    for (uint32_t place = 0; request_word(c, &place, &after).bytes; place = after)
      if (is_akin_word(word, (thimble_span){c->request + place, after - place}) && (isList || !is_denied(c, place, after))) return true;
  return false;
}

/* Whether the request has the words of a switch's name: "with wifi" of "hasWifi", "no pets" of "pets_allowed". */
static bool is_named(const call *c, thimble_span name) {
  uint32_t at = 1, words = 0;
  for (thimble_span word; (word = value_word(name, &at)).bytes;) {
    uint8_t small[mostCommon];
    uint32_t bytes = small_word(word, small);
    if (bytes && is_common(small, bytes)) continue;
    if (is_word(word, " has have allow allows allowed include included includes add need needs want wants only enable enabled use may ok ")) continue;
    bool isSaid = false;
    for (uint32_t place = 0, after; !isSaid && request_word(c, &place, &after).bytes; place = after)
      isSaid = is_same(word, (thimble_span){c->request + place, after - place});
    if (!isSaid || units_in(word.at, word.bytes) < leastLetters) return false;
    words++;
  }
  return words != 0;
}

/* Whether the request says a value, which it says at a place, once more. */
static bool is_again(const call *c, thimble_span value, uint32_t place) {
  uint32_t at = place - 1, after;
  request_word(c, &at, &after);
  return place_of(c, value, noDay, after, true) != 0;
}

/* Whether an enum has days enough to be one of days. */
static bool has_days(const enumerated *one) {
  const uint8_t *at = one->values;
  uint32_t days = 0, count = 0;
  for (uint32_t i = 0; i < one->count; i++) days |= 1u << day_at(next_enum(&at));
  for (uint32_t day = 0; day < noDay; day++) count += days >> day & 1;
  return count >= leastDays;
}

/* Notes what the request says of a property's enum: some values but not all, and all such that it could; or a group of days; of a list any. */
static void note_values(const call *c, uint32_t which) {
  enums *e = c->enums;
  enumerated one = enum_at(e, which);
  const uint8_t *at = one.values;
  uint64_t said = 0, akin = 0, grouped = 0, whole = 0;
  uint32_t count = 0, others = 0, bit = 1u << which;
  if (one.isSwitch && !one.is.isRequired && is_named(c, (thimble_span){one.is.key, (uint32_t)(one.is.inner - one.is.key)})) {
    e->values[which] = e->allowed[which] = 0;
    e->all |= bit;
    e->alone |= bit;
  }
  if (!at || one.count > mostValues) return;
  bool hasDays = has_days(&one), isGroup = one.isList && e->group;
  for (uint32_t i = 0; i < one.count; i++) {
    thimble_span value = next_enum(&at);
    if (is_null(value)) continue;
    uint32_t day = hasDays ? day_at(value) : noDay;
    if (day == noDay && !is_telling(value)) return;
    isGroup = isGroup && day < noDay;
    whole |= (uint64_t)1 << i;
    grouped |= (uint64_t)(e->group >> day & 1) << i;
    uint32_t place = place_of(c, value, day, 0, one.isList);
    bool isSaid = place != 0;
    /* "Red, green, red": it may be a list that has them so. */
    if (one.isList && isSaid && day == noDay && is_again(c, value, place)) return;
    count += isSaid;
    others += !isSaid;
    if (isSaid) said |= (uint64_t)1 << i;
    else if (hints(c, value, one.isList)) akin |= (uint64_t)1 << i;
  }
  bool isAny = isGroup ? !grouped : !count || !others;
  if (isAny && !one.isList) return;
  e->values[which] = isAny ? 0 : isGroup ? grouped : said;
  e->allowed[which] = isAny ? whole : isGroup ? grouped : said | akin;
  e->all |= bit;
  /* No value comes twice. */
  if (isAny) return;
  if (isGroup) e->whole |= bit;
  if (one.isList && (isGroup || !e->isTurned)) e->ordered |= bit;
  if ((one.isList || count == 1) && !one.is.isRequired) e->alone |= bit;
}

/* Whether the request takes something back, or out. */
static bool is_turned(const call *c) {
  for (uint32_t at = 0, after; request_word(c, &at, &after).bytes; at = after)
    if (is_turn((thimble_span){c->request + at, after - at})) return true;
  return false;
}

void note_said(const call *c) {
  enums *e = c->enums;
  e->all = e->alone = e->ordered = e->whole = 0;
  e->left = 0;
  e->isTurned = is_turned(c);
  e->group = group_in(c);
  for (uint32_t i = 0; i < property_count(e); i++) note_values(c, i);
}

uint64_t first_left(const call *c, uint32_t which, uint64_t left) {
  enums *e = c->enums;
  if (e->left == left && e->leftOf == which) return e->first;
  enumerated one = enum_at(e, which);
  const uint8_t *at = one.values;
  bool hasDays = has_days(&one);
  e->left = left;
  e->leftOf = which;
  e->first = 0;
  for (uint32_t i = 0, least = UINT32_MAX; i < mostValues && left >> i; i++) {
    thimble_span value = next_enum(&at);
    if (!(left >> i & 1)) continue;
    uint32_t place = e->whole >> which & 1 ? i : place_of(c, value, hasDays ? day_at(value) : noDay, 0, one.isList);
    if (place >= least) continue;
    least = place;
    e->first = (uint64_t)1 << i;
  }
  return e->first;
}
