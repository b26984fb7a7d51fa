/* Which ids may, or must, follow. Source: runtime/grammar/grammar.ts, runtime/text/trie.ts, runtime/answer/rules.ts. */
#include "call.h"

static place *at_depth(call *c, uint32_t depth) {
  return (place *)(c->stack + depth * place_bytes(&c->words));
}

/*
 * What a walk has met beside ids: a string that is copied, a string or the beginning of an item that a piece leads through, an
 * item too many.
 */
typedef struct {
  bool opened, through, item, refused;
} met;

/* Adds to the mask the ids that lead on from a place; `rule`: free strings are copied. */
static uint32_t walk(call *c, const place *from, const words *rule, uint32_t *some, met *met) {
  const thimble_model *m = c->m;
  const uint8_t *shared = m->parts[part_shared].at;
  uint32_t count = 0, reached = 0;
  bool failed = false;
  *some = 0xffff;
  memset(c->mask, 0, 4 * ((m->vocabSize + 31) / 32));
  place_copy(&c->words, from, at_depth(c, 0));
  at_depth(c, 0)->isCopying = from->isCopying && rule->isOn;
  for (uint32_t i = 0; i < m->nOrdered; i++) {
    /* What begins with the bytes that led nowhere leads nowhere. */
    if (failed && shared[i] > reached) continue;
    uint32_t id = ordered(m, i);
    thimble_span bytes = piece(m, id);
    if (shared[i] < reached) reached = shared[i];
    failed = false;
    /* A piece of its own until now, here the beginning of another. */
    const state *known = &at_depth(c, reached)->state;
    met->through = met->through || (reached < bytes.bytes && in_string(m, known));
    met->item = met->item || (reached && reached < bytes.bytes && known->item);
    while (reached < bytes.bytes && !failed) {
      place *next = at_depth(c, reached + 1);
      place_copy(&c->words, at_depth(c, reached), next);
      failed = !place_step(m, rule, next, bytes.at[reached]);
      met->refused = met->refused || (failed && next->state.item);
      /* Also where it is an item too many: then the pieces that go on from here are passed over. */
      for (uint32_t j = i; next->state.item && !met->item && j < m->nOrdered && (j == i || shared[j] > reached); j++)
        met->item = piece(m, ordered(m, j)).bytes > reached + 1;
      if (failed) break;
      reached++;
      met->opened = met->opened || next->isCopying;
      met->through = met->through || (reached < bytes.bytes && in_string(m, &next->state));
    }
    if (failed) continue;
    c->mask[id >> 5] |= 1u << (id & 31);
    count++;
    if (id < *some) *some = id;
  }
  return count;
}

uint32_t allowed(call *c, const place *p, uint32_t *some) {
  words off = c->words;
  off.isOn = false;
  off.mostItems = 0;
  met kept = {false, false, false, false}, free = kept;
  uint32_t count = walk(c, p, &c->words, some, &kept);
  /* The rules say something where a string is copied, or where a piece leads into one or to an item and further. */
  bool mayOpen = c->words.isOn && !in_string(c->m, &p->state);
  if (count && (p->isCopying || kept.item || (mayOpen && kept.through) || !(kept.opened || kept.refused))) return count;
  uint32_t all = walk(c, p, &off, some, &free);
  /* Also where the rules keep every such piece out: beside an enum a string is one's alone only a byte on. */
  return count && (free.item || (mayOpen && free.through)) ? walk(c, p, &c->words, some, &kept) : all;
}

/* Bytes of the characters that are whole, a text's first having begun. */
static uint32_t whole_characters(const uint8_t *text, uint32_t bytes) {
  uint32_t end = bytes, lead = bytes;
  while (lead && (text[lead - 1] & 0xc0) == 0x80) lead--;
  if (lead && text[lead - 1] >= 0xc0) {
    uint8_t first = text[lead - 1];
    uint32_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (end - (lead - 1) < length) end = lead - 1;
  }
  return end;
}

/* How many ids of the text in scratch stay whatever follows: pieces that reach across its end may join its last ones. */
static uint32_t settled_ids(call *c, const state *end, uint32_t bytes, uint32_t count, uint32_t most) {
  const thimble_model *m = c->m;
  uint32_t before = bytes > m->longestPiece ? bytes - m->longestPiece : 0;
  for (uint32_t start = bytes; start-- > before;) {
    uint32_t suffix = bytes - start;
    for (uint32_t i = first_from(m, c->scratch + start, suffix); i < m->nOrdered; i++) {
      thimble_span other = piece(m, ordered(m, i));
      if (other.bytes < suffix || memcmp(other.at, c->scratch + start, suffix)) break;
      state s = *end;
      uint32_t at = suffix;
      while (at < other.bytes && grammar_step(m, &s, other.at[at])) at++;
      uint32_t rest = at == other.bytes ? whole_characters(other.at + suffix, at - suffix) : 0;
      if (!rest) continue;
      memcpy(c->scratch + bytes, other.at + suffix, rest);
      uint32_t got = tokenize(m, &c->work, c->scratch, bytes + rest, c->otherIds, most);
      for (uint32_t j = 0; j < count; j++)
        if (j >= got || j >= most || c->ids[j] != c->otherIds[j]) count = j;
    }
  }
  return count;
}

uint32_t forced(call *c, const place *p, uint32_t most) {
  const thimble_model *m = c->m;
  state end = p->state;
  uint32_t bytes = 0;
  if (p->isCopying) return 0;
  int byte = grammar_only(m, &end);
  /* Within a character only its own bytes can follow; no text begins there. */
  if (byte >= 0 && (byte & 0xc0) == 0x80) return 0;
  for (; byte >= 0 && bytes < c->mostText; byte = grammar_only(m, &end)) {
    c->scratch[bytes++] = (uint8_t)byte;
    if (!grammar_step(m, &end, (uint8_t)byte)) return 0;
  }
  bytes = whole_characters(c->scratch, bytes);
  if (!bytes) return 0;
  end = p->state;
  for (uint32_t i = 0; i < bytes; i++) grammar_step(m, &end, c->scratch[i]);
  uint32_t count = tokenize(m, &c->work, c->scratch, bytes, c->ids, most);
  /* The first ones may be settled, and the answer short enough, where the whole text is too long. */
  count = settled_ids(c, &end, bytes, count < most ? count : most, most);
  place_copy(&c->words, p, c->after);
  for (uint32_t i = 0; i < count; i++) {
    thimble_span text = piece(m, c->ids[i]);
    place *next = at_depth(c, 0);
    place_copy(&c->words, c->after, next);
    for (uint32_t j = 0; j < text.bytes; j++)
      if (!place_step(m, &c->words, next, text.at[j])) return i;
    place_copy(&c->words, next, c->after);
  }
  return count;
}

uint32_t finish(call *c, const state *from, uint32_t room) {
  const thimble_model *m = c->m;
  uint32_t bytes = 0, lead = 0;
  for (state s = *from; s.mode != at_end;) {
    int byte = grammar_exit(m, &s);
    /* No piece writes more bytes than the longest. */
    if (bytes >= room * m->longestPiece || bytes >= c->mostText || byte < 0) return room + 1;
    c->scratch[bytes++] = (uint8_t)byte;
    if (!grammar_step(m, &s, (uint8_t)byte)) return room + 1;
  }
  /* The way out of an unfinished character begins with its missing bytes. */
  for (; lead < bytes && (c->scratch[lead] & 0xc0) == 0x80; lead++)
    if (lead < room) c->ids[lead] = (uint16_t)byte_id(m, c->scratch[lead]);
  if (lead > room) return room + 1;
  return lead + tokenize(m, &c->work, c->scratch + lead, bytes - lead, c->ids + lead, room - lead);
}
