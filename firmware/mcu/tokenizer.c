/* Text → ids: SentencePiece BPE with byte fallback. Source: runtime/text/tokenizer.ts. A space stands for ▁ throughout. */
#include "small.h"

#include "text.h"

enum { noPair = 0xffff };

static int compare(thimble_span a, const uint8_t *bytes, uint32_t length) {
  int order = memcmp(a.at, bytes, a.bytes < length ? a.bytes : length);
  return order ? order : a.bytes < length ? -1 : a.bytes > length;
}

uint32_t first_from(const thimble_model *m, const uint8_t *bytes, uint32_t length) {
  uint32_t low = 0, high = m->nOrdered;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (compare(piece(m, ordered(m, middle)), bytes, length) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* The id of a text that is a piece, and no piece that stands for a byte; noPair for none. */
static uint32_t id_of(const thimble_model *m, const uint8_t *bytes, uint32_t length) {
  if (length > m->longestPiece) return noPair;
  for (uint32_t i = first_from(m, bytes, length); i < m->nOrdered; i++) {
    uint32_t id = ordered(m, i);
    if (compare(piece(m, id), bytes, length)) return noPair;
    if (length > 1 || byte_id(m, *bytes) != id) return id;
  }
  return noPair;
}

/* Ids on their way out. */
typedef struct {
  uint16_t *ids;
  uint32_t count, most;
} id_list;

static void add(id_list *list, uint32_t id) {
  if (list->count < list->most) list->ids[list->count] = (uint16_t)id;
  list->count++;
}

/* Joins the pair of the lowest id, leftmost first, until none can be joined. */
static void merge(const thimble_model *m, const token_work *work, const uint8_t *text, uint32_t bytes, id_list *list) {
  uint16_t *starts = work->starts, *pairs = work->pairs;
  uint32_t n = 0;
  for (uint32_t at = 0; at < bytes; n++) {
    uint32_t size = bytes_of_lead(text[at]);
    starts[n] = (uint16_t)at;
    at += size && size <= bytes - at ? size : 1;
  }
  starts[n] = (uint16_t)bytes;
#define PAIR(i) ((i) + 1 < n ? (uint16_t)id_of(m, text + starts[i], (uint32_t)(starts[(i) + 2] - starts[i])) : noPair)
  for (uint32_t i = 0; i < n; i++) pairs[i] = PAIR(i);
  for (;;) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++)
      if (pairs[i] < pairs[best]) best = i;
    if (!n || pairs[best] == noPair) break;
    n--;
    memmove(starts + best + 1, starts + best + 2, (n - best) * sizeof *starts);
    memmove(pairs + best + 1, pairs + best + 2, (n - best - 1) * sizeof *pairs);
    pairs[best] = PAIR(best);
    if (best) pairs[best - 1] = PAIR(best - 1);
  }
#undef PAIR
  for (uint32_t i = 0; i < n; i++) {
    uint32_t length = (uint32_t)(starts[i + 1] - starts[i]), id = id_of(m, text + starts[i], length);
    if (id != noPair) add(list, id);
    else
      for (uint32_t j = 0; j < length; j++) add(list, byte_id(m, text[starts[i] + j]));
  }
}

static bool is_mark(const uint8_t *text, uint32_t bytes) {
  return bytes >= 3 && text[0] == 0xe2 && text[1] == 0x96 && text[2] == 0x81;
}

uint32_t tokenize(const thimble_model *m, const token_work *work, const uint8_t *text, uint32_t bytes, uint16_t *ids,
                  uint32_t most) {
  id_list list = {ids, 0, most};
  /* A real ▁ would read back as a space, so it goes out as bytes. */
  uint32_t start = 0;
  for (uint32_t at = 0; at < bytes;) {
    if (!is_mark(text + at, bytes - at)) {
      at++;
      continue;
    }
    merge(m, work, text + start, at - start, &list);
    for (int i = 0; i < 3; i++) add(&list, byte_id(m, text[at + i]));
    start = at += 3;
  }
  merge(m, work, text + start, bytes - start, &list);
  return list.count;
}

uint32_t tokenize_request(const thimble_model *m, const token_work *work, const uint8_t *text, uint32_t bytes,
                          uint8_t *form, uint16_t *ids, uint32_t most) {
  id_list list = {ids, 0, most};
  uint32_t length = 0;
  form[length++] = ' ';
  for (uint32_t at = 0; at < bytes;) {
    /* Runs of spaces are one; a real ▁ reads back as a space. */
    bool isMark = is_mark(text + at, bytes - at), isAgain = text[at] == ' ' && (!at || text[at - 1] == ' ');
    if (isAgain) {
      at++;
      continue;
    }
    form[length++] = isMark ? ' ' : text[at];
    at += isMark ? 3 : 1;
  }
  while (length && form[length - 1] == ' ') length--;
  merge(m, work, form, length, &list);
  return list.count;
}
