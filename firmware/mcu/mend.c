/* What is none but a slip of the thumb away from one of the tools' words is read as that word. Source: runtime/tools/mend.ts. */
#include "small.h"

#include "call.h"

/* Letters that a word has, where two are exchanged, or one is left out; one more where that is another, or too many. */
enum { leastSwapped = 4, leastMissing = 5 };

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
    for (; own && its && a[own - 1] == b[its - 1]; its--) own--;
    if (own == 2 && its == 2 ? bytes < leastSwapped || *a != b[1] || a[1] != *b : (own | its) != 1 || bytes < leastMissing + own) continue;
    if (a == word) continue;
    meant = row;
    nMeant++;
  }
  return nMeant == 1 ? meant : NULL;
}

void mend_request(call *c) {
  uint8_t *form = c->scratch, *word = form + 1;
  form[0] = ' ';
  for (uint32_t at = 0, after; next_word(c->request, c->requestBytes, &at, &after); at = after) {
    uint32_t bytes = after - at, letters = 0;
    /* A capital is a name's, but where the request begins. */
    for (; letters < bytes; letters++) {
      word[letters] = c->request[at + letters] | (at ? 0 : 32);
      if (word[letters] < 'a' || word[letters] > 'z') break;
    }
    if (letters < bytes || is_common(word, bytes)) continue;
    const uint8_t *row = meant_by(c->m, word, bytes);
    /* A word of one piece is one that the model has often met. */
    if (!row || tokenize(c->m, &c->work, form, bytes + 1, c->ids, 0) == 1) continue;
    uint32_t meant = u16_at(row + 4), all = c->requestBytes - bytes + meant;
    if (all > c->mostRequest) continue;
    memmove(c->request + at + meant, c->request + after, c->requestBytes - after);
    memcpy(c->request + at, c->m->parts[part_words].at + u32_at(row), meant);
    c->requestBytes = all;
    after = at + meant;
  }
}
