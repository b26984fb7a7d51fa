/*
 * Which tool the contrastive head means and which has the request's words, put into the choice of the first call's name.
 * Source: runtime/answer/lean.ts.
 * Sums are of 64 bits, as there; there are a few hundred.
 */
#include "small.h"

#include "call.h"

void rate_tools(call *c, uint32_t n) {
  const thimble_model *m = c->m;
  /* Where a decoded row's state will be. */
  float *vector = c->engine.hidden;
  double best = 0, likeliest = 0;
  /* First, since it works in the engine's memory. */
  if (c->found) rank_by_words(c, c->leans);
  /* Words say which tool is meant, never that one is. */
  for (uint32_t tool = 0; c->found && tool < m->nTools; tool++)
    if (m->leanWord * c->leans[tool] > likeliest) likeliest = m->leanWord * c->leans[tool];
  engine_contrast(&c->engine, c->ids, n, vector);
  for (uint32_t tool = 0; tool < m->nTools; tool++) {
    const float *known = tool_vector(m, tool);
    double score = 0;
    for (uint32_t i = 0; i < m->contrastiveDim; i++) score += (double)known[i] * vector[i];
    c->leans[tool] = m->leanTool * score + (c->found ? m->leanWord * c->leans[tool] - likeliest : 0);
    if (!tool || c->leans[tool] > best) best = c->leans[tool];
  }
  c->leans[m->nTools] = m->leanNone < best ? m->leanNone : best;
}

int call_byte(const thimble_model *m, uint32_t tool, uint32_t at) {
  if (at < sizeof BEFORE_NAME - 1) return BEFORE_NAME[at];
  thimble_span name = text_at(m, m->parts[part_tools].at + 28 * tool);
  at -= sizeof BEFORE_NAME - 1;
  return at + sizeof AFTER_NAME - 1 < name.bytes ? name.at[at] : -1;
}

/* The byte of a beginning of answers at a place, -1 past its end: a tool's call up to its name's quote, or none. */
static int beginning(const thimble_model *m, uint32_t which, uint32_t at) {
  if (which == m->nTools) return at < 2 ? "[]"[at] : -1;
  return at ? call_byte(m, which, at - 1) : '[';
}

/* The answer's text so far without the space before it, then a piece: how many of its bytes, and one. */
static int written(const call *c, thimble_span piece, uint32_t at) {
  uint32_t start = c->textBytes && c->text[0] == ' ';
  uint32_t skipped = !c->textBytes && piece.bytes && piece.at[0] == ' ';
  at += start;
  if (at < c->textBytes) return c->text[at];
  at += skipped - c->textBytes;
  return at < piece.bytes ? piece.at[at] : -1;
}

/* Whether what is written with a piece begins as a beginning does, or the other way round; `open`: the beginning is longer. */
static bool agrees(const call *c, thimble_span piece, uint32_t which, bool open) {
  for (uint32_t at = 0;; at++) {
    int ours = written(c, piece, at), theirs = beginning(c->m, which, at);
    if (ours < 0) return !open || theirs >= 0;
    if (theirs < 0) return !open;
    if (ours != theirs) return false;
  }
}

/* The greatest lean of the beginnings that an id agrees with; false for none. */
static bool lean_of(const call *c, uint32_t id, double *lean) {
  bool any = false;
  for (uint32_t which = 0; which <= c->m->nTools; which++) {
    if (!agrees(c, piece(c->m, id), which, false) || (any && c->leans[which] <= *lean)) continue;
    *lean = c->leans[which];
    any = true;
  }
  return any;
}

static double gain_of(const void *from, uint32_t id) {
  const call *c = from;
  double lean;
  return lean_of(c, id, &lean) ? lean - c->mostLean : 0;
}

bool find_gain(call *c, gain *gain) {
  const thimble_model *m = c->m;
  bool isOpen = false, any = false;
  double lean;
  for (uint32_t which = 0; c->leans && which <= m->nTools && !isOpen; which++)
    isOpen = agrees(c, (thimble_span){NULL, 0}, which, true);
  if (!isOpen) return false;
  for (uint32_t id = 0; id < m->vocabSize; id++) {
    if (!(id & 31) && !c->mask[id >> 5]) id += 31;
    else if (c->mask[id >> 5] >> (id & 31) & 1 && lean_of(c, id, &lean)) {
      if (!any || lean > c->mostLean) c->mostLean = lean;
      any = true;
    }
  }
  gain->of = gain_of;
  gain->from = c;
  return any;
}
