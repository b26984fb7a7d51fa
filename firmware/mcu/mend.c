/* What is but for two letters exchanged or a doubled letter one of the tools' words is read as that. Source: runtime/tools/mend.ts. */
#include "small.h"

#include "call.h"

/* Letters of the shorter of two words, where two are exchanged, or one is doubled. */
enum { leastSwapped = 4, leastDoubled = 5 };

/* The row of the one word that a word is a slip away from; NULL where it is one of the tools' own, begins one, or is begun by one. */
static const uint8_t *meant_by(const thimble_model *m, const uint8_t *word, uint32_t bytes) {
  const uint8_t *table = m->parts[part_words].at, *row = word_rows(m), *meant = NULL;
  uint32_t nMeant = 0;
  for (uint32_t n = u32_at(table); n; n--, row += wordBytes) {
    const uint8_t *a = word, *b = table + u32_at(row);
    uint32_t own = bytes, its = u16_at(row + 4);
    for (; own && its && *a == *b; a++, b++, its--) own--;
    /* Words that are equal too: a shorter one is no slip of any. */
    if (!(own && its) && a >= word + leastStem) return NULL;
    if (a == word) continue;
    for (; own && its && a[own - 1] == b[its - 1]; its--) own--;
    const uint8_t *more = own ? a : b;
    if (own == 2 && its == 2 ? bytes < leastSwapped || *a != b[1] || a[1] != *b : (own | its) != 1 || bytes < leastDoubled + own || *more != more[-1]) continue;
    meant = row;
    nMeant++;
  }
  return nMeant == 1 ? meant : NULL;
}

void mend_request(call *c) {
  uint8_t *form = c->scratch, *word = form + 1, letter;
  form[0] = ' ';
  for (uint32_t at = 0, end; at < c->requestBytes; at = end + 1) {
    uint32_t bytes = 0;
    /* A capital is a name's, but where the request begins. */
    for (; at + bytes < c->requestBytes && (letter = c->request[at + bytes] | (at ? 0 : 32)) >= 'a' && letter <= 'z'; bytes++) word[bytes] = letter;
    uint32_t after = at + bytes;
    for (end = after; end < c->requestBytes && c->request[end] != ' ';) end++;
    /* A mark at most stands behind it. */
    if (end > after + 1 || (end > after && c->request[after] >= '0')) continue;
    const uint8_t *row = meant_by(c->m, word, bytes);
    /* A word of one piece is one that the model has often met. */
    if (!row || tokenize(c->m, &c->work, form, bytes + 1, c->ids, 0) == 1) continue;
    thimble_span meant = {c->m->parts[part_words].at + u32_at(row), u16_at(row + 4)};
    uint32_t all = c->requestBytes - bytes + meant.bytes;
    /* What is said rightly elsewhere is meant there, and this copied. */
    if (all > c->mostRequest || is_in_request(c, meant)) continue;
    memmove(c->request + at + meant.bytes, c->request + after, c->requestBytes - after);
    memcpy(c->request + at, meant.at, meant.bytes);
    c->requestBytes = all;
    end += meant.bytes - bytes;
  }
}
