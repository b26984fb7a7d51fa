/* See copy.h. */
#include "copy.h"

/* Sets of places stand behind a `place`. */
static uint32_t *spans_of(place *p) {
  return (uint32_t *)(p + 1);
}
static uint32_t *used_of(const words *w, place *p) {
  return spans_of(p) + w->setWords;
}

static bool has(const uint32_t *set, uint32_t i) {
  return set[i >> 5] >> (i & 31) & 1;
}
static void add(uint32_t *set, uint32_t i) {
  set[i >> 5] |= 1u << (i & 31);
}

/* The next member of a set from a place on; `none` past the last. */
enum { none = 0xffffffff };
static uint32_t next(const words *w, const uint32_t *set, uint32_t from) {
  for (uint32_t i = from; i <= w->bytes; i++) {
    if (!(i & 31) && !set[i >> 5]) i += 31;
    else if (has(set, i)) return i;
  }
  return none;
}

uint32_t place_bytes(const words *w) {
  return padded((uint32_t)sizeof(place) + 8 * w->setWords, 8);
}

void place_copy(const words *w, const place *from, place *to) {
  memcpy(to, from, place_bytes(w));
}

void place_start(const words *w, place *p) {
  memset(p, 0, place_bytes(w));
  p->state = grammar_start();
}

/* Whether a value, between two characters at a place, comes to an end after `least` to `most` more. */
static bool reaches(const words *w, const uint32_t *used, uint32_t at, uint32_t least, uint32_t most) {
  uint32_t before = w->before[at];
  if (before + least > w->characters) return false;
  uint32_t end = w->endAfter[before + least];
  if (most != 0xffff && w->before[end] > before + most) return false;
  for (uint32_t i = at; used && i < end; i++)
    if (has(used, i)) return false;
  return true;
}

static bool takes(const words *w, place *p, uint32_t at, uint8_t byte) {
  return at < w->bytes && w->text[at] == byte && !has(used_of(w, p), at);
}

/* Marks where a value of so many characters may begin, and says whether that is a word anywhere. */
static bool mark_starts(const words *w, place *p, const uint32_t *used, uint32_t least, uint32_t most) {
  uint32_t *spans = spans_of(p);
  bool word = false;
  memset(spans, 0, 4 * w->setWords);
  for (uint32_t at = 0; at < w->bytes; at++) {
    if (!(w->marks[at] & mark_first) || !reaches(w, used, at, least ? least : 1, most)) continue;
    add(spans, at);
    word = word || w->marks[at] & mark_word;
  }
  return word;
}

/* A value must come from somewhere, and marks alone are none: then all words may be used again. */
static bool find_starts(const words *w, place *p, uint32_t least, uint32_t most) {
  uint32_t *used = used_of(w, p);
  bool again = !mark_starts(w, p, used, least, most) && next(w, used, 0) != none;
  if (again) mark_starts(w, p, NULL, least, most);
  bool any = next(w, spans_of(p), 0) != none;
  if (again && any) memset(used, 0, 4 * w->setWords);
  return any;
}

/* A byte outside of what is copied: a quote may open a string that is. */
static bool open(const thimble_model *m, const words *w, place *p, uint8_t byte) {
  if (!grammar_step(m, &p->state, byte)) return false;
  if (!w->isOn || byte != '"' || p->state.mode != at_value) return true;
  uint32_t least = 0xffff, most = 0;
  bool any = false;
  for (uint32_t i = 0; i < p->state.nAtoms; i++) {
    room r = atom_room(m, p->state.atoms[i]);
    if (!r.isBetween) continue;
    any = true;
    if (r.least < least) least = r.least;
    if (r.most > most) most = r.most;
  }
  if (any && find_starts(w, p, least, most)) {
    p->isCopying = true;
    p->length = 0;
  }
  return true;
}

/* Takes the words of the value that ends here back, if it is one place's alone. */
static void use_words(const words *w, place *p) {
  uint32_t *spans = spans_of(p), end = none, ends = 0;
  for (uint32_t at = next(w, spans, 0); at != none; at = next(w, spans, at + 1)) {
    if (!(w->marks[at] & mark_end)) continue;
    end = at;
    ends++;
  }
  if (ends != 1) return;
  for (uint32_t at = end - p->length; at < end; at++) add(used_of(w, p), at);
}

static bool ends_here(const words *w, place *p) {
  uint32_t *spans = spans_of(p);
  for (uint32_t at = next(w, spans, 0); at != none; at = next(w, spans, at + 1))
    if (w->marks[at] & mark_end) return true;
  return false;
}

/* How many places of the open string go on with a byte in an atom's room; with `keep`, the others are dropped. */
static uint32_t going(const words *w, place *p, uint8_t byte, room r, bool keep) {
  uint32_t *spans = spans_of(p), count = 0, least = r.least ? r.least : 1;
  for (uint32_t at = next(w, spans, 0); at != none; at = next(w, spans, at + 1)) {
    bool goes = takes(w, p, at, byte) && (!r.isBetween || reaches(w, used_of(w, p), at, least, r.most));
    count += goes;
    if (keep && !goes) spans[at >> 5] &= ~(1u << (at & 31));
  }
  return count;
}

/* A byte inside a string that is copied, or that is another value beside it. */
static bool copy(const thimble_model *m, const words *w, place *p, uint8_t byte) {
  state to = value_of(&p->state);
  room widest = {0};
  uint32_t most = 0;
  bool canEnd = byte == '"' && p->length && ends_here(w, p);
  for (uint32_t i = 0; i < p->state.nAtoms; i++) {
    uint32_t atom = p->state.atoms[i];
    room r = atom_room(m, atom);
    if (r.isIn && r.isBetween && byte == '"') {
      if (!canEnd) continue;
    } else if (r.isIn) {
      uint32_t count = going(w, p, byte, r, false);
      if (!count) continue;
      if (count > most) {
        most = count;
        widest = r;
      }
    }
    atom_step(m, atom, byte, &to);
  }
  if (!to.nAtoms) return false;
  if (most) {
    going(w, p, byte, widest, true);
    /* Each place is now one byte on. */
    uint32_t *spans = spans_of(p), carry = 0;
    for (uint32_t i = 0; i < w->setWords; i++) {
      uint32_t moved = spans[i] << 1 | carry;
      carry = spans[i] >> 31;
      spans[i] = moved;
    }
    p->length++;
  } else {
    if (canEnd) use_words(w, p);
    p->isCopying = false;
    p->length = 0;
  }
  p->state = to;
  return settle(m, &p->state);
}

/* Counts the item that begins here; false where it is one too many. */
static bool count(const words *w, place *p) {
  const state *s = &p->state;
  if (!s->item || !w->mostItems) return true;
  uint8_t *counted = &p->counts[s->item - 1];
  uint32_t most = s->leastItems > w->mostItems ? s->leastItems : w->mostItems;
  *counted = s->isFirstItem ? 0 : *counted < 255 ? (uint8_t)(*counted + 1) : 255;
  return *counted < most || most > 255;
}

bool place_step(const thimble_model *m, const words *w, place *p, uint8_t byte) {
  if (!(p->isCopying ? copy(m, w, p, byte) : open(m, w, p, byte))) return false;
  if (!count(w, p)) return false;
  p->at++;
  if (is_after_call(&p->state)) {
    if (w->isOn) memset(used_of(w, p), 0, 4 * w->setWords);
    p->calls++;
    p->callEnd = p->at;
  }
  return true;
}

bool place_free(const thimble_model *m, place *p, uint32_t id) {
  thimble_span bytes = piece(m, id);
  for (uint32_t i = 0; i < bytes.bytes; i++)
    if (!grammar_step(m, &p->state, bytes.at[i])) return false;
  p->isCopying = false;
  p->length = 0;
  p->at += bytes.bytes;
  return bytes.bytes > 0;
}
