/*
 * Scores tools by a request's words, from the table that the tools' file brings. Source: runtime/tools/words.ts; the table:
 * runtime/kept/words.ts.
 */
#include "small.h"

#include "call.h"

static const char common[] = " a an the of to for in on at by with from and or as is it be my me i you your please can could would will what "
                             "which how this that do does get set e g eg ";
enum { mostLetters = 64 };

bool is_common(const uint8_t *word, uint32_t bytes) {
  return place_of_word(word, bytes, common) >= 0;
}

uint32_t units_in(const uint8_t *text, uint32_t bytes) {
  uint32_t units = 0;
  for (uint32_t i = 0; i < bytes; i++) units += ((text[i] & 0xc0) != 0x80) + (text[i] >= 0xf0);
  return units;
}

/* A text in small letters, those that take no more bytes; returns its bytes. */
static uint32_t small_text(const uint8_t *text, uint32_t bytes, uint8_t *to) {
  uint32_t length = 0, size;
  for (uint32_t at = 0; at < bytes; at += size) {
    uint32_t point = point_at(text + at, &size), small = small_letter(point);
    length += write_point(utf8_bytes(small) <= size ? small : point, to + length);
  }
  return length;
}

uint32_t next_word(const uint8_t *text, uint32_t bytes, uint32_t *at, uint32_t *after) {
  uint32_t size, end, length;
  for (; *at < bytes; *at += size)
    if (is_of_word(point_at(text + *at, &size))) break;
  for (end = *at; end < bytes; end += size)
    if (!is_of_word(point_at(text + end, &size))) break;
  *after = end;
  for (length = end - *at; units_in(text + *at, length) > mostLetters;)
    do length--;
    while ((text[*at + length] & 0xc0) == 0x80);
  return length;
}

/* Where a request's first clause ends: a mark, "and" or "then" that follows two words or more. */
static uint32_t clause_end(const uint8_t *text, uint32_t bytes) {
  uint32_t at = 0;
  while (at < bytes && text[at] != ' ') at++;
  for (at++; at + 1 < bytes; at++) {
    if (text[at + 1] == ' ' && memchr(",.;!?", text[at], 5)) return at;
    if (at + 5 <= bytes && !memcmp(text + at, " and ", 5)) return at;
    if (at + 6 <= bytes && !memcmp(text + at, " then ", 6)) return at;
  }
  return bytes;
}

/* Whether one word begins the other, and is no stub. */
static bool is_akin(const uint8_t *word, uint32_t bytes, thimble_span other) {
  uint32_t shorter = bytes < other.bytes ? bytes : other.bytes;
  return bytes != other.bytes && !memcmp(word, other.at, shorter) && units_in(word, shorter) >= leastStem;
}

/* What a word counts for with each tool, in eighths, into c->found; returns how many tools it matches. */
static uint32_t match(const call *c, const uint8_t *word, uint32_t bytes) {
  const thimble_model *m = c->m;
  const uint8_t *table = m->parts[part_words].at, *rows = word_rows(m), *same = NULL;
  uint32_t count = 0, nWords = u32_at(table);
  memset(c->found, 0, m->nTools);
  for (uint32_t i = 0; i < nWords; i++) {
    const uint8_t *row = rows + wordBytes * i, *places = table + u32_at(row + 8);
    thimble_span other = {table + u32_at(row), u16_at(row + 4)};
    if (other.bytes == bytes && !memcmp(other.at, word, bytes)) same = row;
    if (!is_akin(word, bytes, other)) continue;
    for (uint32_t j = 0; j < u16_at(row + 6); j++) {
      uint32_t tool = u16_at(places + 4 * j), quarters = u16_at(places + 4 * j + 2);
      if (quarters > c->found[tool]) c->found[tool] = (uint8_t)quarters;
    }
  }
  for (uint32_t j = 0; same && j < u16_at(same + 6); j++) {
    const uint8_t *place = table + u32_at(same + 8) + 4 * j;
    c->found[u16_at(place)] = (uint8_t)(2 * u16_at(place + 2));
  }
  for (uint32_t tool = 0; tool < m->nTools; tool++) count += c->found[tool] != 0;
  return count;
}

void rank_by_words(call *c, double *scores) {
  const thimble_model *m = c->m;
  const uint8_t *table = m->parts[part_words].at;
  uint8_t *text = c->scratch;
  uint32_t clause = clause_end(c->request, c->requestBytes), clauseEnd = small_text(c->request, clause, text), after;
  uint32_t bytes = clauseEnd + small_text(c->request + clause, c->requestBytes - clause, text + clauseEnd);
  for (uint32_t tool = 0; tool < m->nTools; tool++) scores[tool] = 0;
  for (uint32_t at = 0, length; (length = next_word(text, bytes, &at, &after)); at = after) {
    bool isKnown = is_common(text + at, length);
    uint32_t before = 0, end;
    for (uint32_t other; !isKnown && (other = next_word(text, bytes, &before, &end)) && before < at; before = end)
      isKnown = other == length && !memcmp(text + before, text + at, length);
    if (isKnown) continue;
    double weight;
    memcpy(&weight, table + logsAt + 8 * match(c, text + at, length), 8);
    /* A word past the first clause counts half. */
    if (at >= clauseEnd) weight *= 0.5;
    for (uint32_t tool = 0; tool < m->nTools; tool++) scores[tool] += c->found[tool] / 8.0 * weight;
  }
}
