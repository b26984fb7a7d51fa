/* The only loop, and the call around it. Source: runtime/answer/answer.ts. */
#include "small.h"

#include "call.h"

enum { id_eos = 1, id_toolCall = 4 };

static bool push(call *c, uint32_t id) {
  thimble_span bytes = piece(c->m, id);
  if (c->nTokens >= c->answerTokens || bytes.bytes > c->mostText - c->textBytes) return false;
  memcpy(c->text + c->textBytes, bytes.at, bytes.bytes);
  c->textBytes += bytes.bytes;
  c->tokens[c->nTokens++] = (uint16_t)id;
  return true;
}

/* Runs the tokens that have not been through the decoder; the one that starts it stands before them, at position 0. */
static choice choose(call *c) {
  gain gain;
  bool leans = find_gain(c, &gain), costs = !leans && find_price(c, &gain);
  engine_decode(&c->engine, c->tokens + c->decoded - 1, c->nTokens + 1 - c->decoded, c->decoded);
  c->decoded = c->nTokens + 1;
  c->decisions++;
  choice choice = engine_pick(&c->engine, c->mask, leans || costs ? &gain : NULL);
  if (costs && c->pricesEnums) note_choice(c, choice.id, choice.plain);
  return choice;
}

/* Whether the answer can still end validly within so many tokens. */
static bool fits(call *c, const state *s, int32_t room) {
  return room >= 0 && finish(c, s, (uint32_t)room) <= (uint32_t)room;
}

static const char lost[] = "tools: expected tables that every answer can follow, got others; read the tools again";

/* Closes the list after the call before the last, and takes back what is written beyond it. */
static const char *end_before_last(call *c) {
  const thimble_model *m = c->m;
  uint32_t end = c->callEnds[--c->nCalls - 1], left = 0;
  while (c->textBytes > end) {
    uint32_t bytes = piece(m, c->tokens[--c->nTokens]).bytes;
    c->textBytes -= bytes;
    left = c->textBytes < end ? end - c->textBytes : 0;
  }
  while (c->nSteps && c->steps[c->nSteps - 1].start >= c->textBytes) c->nSteps--;
  memcpy(c->scratch, c->text + c->textBytes, left);
  c->scratch[left] = ']';
  uint32_t room = c->answerTokens - c->nTokens;
  uint32_t count = tokenize(m, &c->work, c->scratch, left + 1, c->ids, room);
  for (uint32_t i = 0; i < count; i++)
    if (i >= room || !push(c, c->ids[i])) return lost;
  return NULL;
}

/* Writes a token that leads to c->after; true where the answer ends before the call that it closes. */
static bool takes_back(call *c, uint32_t id, const place *after, bool *isBad) {
  bool isNew = after->calls > c->nCalls;
  *isBad = !push(c, id);
  if (*isBad || !isNew) return false;
  c->callEnds[c->nCalls++] = after->callEnd;
  return is_repeated(c);
}

const char *write_answer(call *c, bool *cutShort) {
  const thimble_model *m = c->m;
  *cutShort = false;
  place_start(&c->words, c->place);
  if (!push(c, id_toolCall)) return lost;
  bool isBad = false;
  while (c->place->state.mode != at_end) {
    int32_t room = (int32_t)(c->answerTokens - c->nTokens);
    uint32_t count = forced(c, c->place, (uint32_t)room);
    if (count) {
      /* `fits` writes ids of its own: tokens forced wait among the answer's, beyond those written. */
      memcpy(c->tokens + c->nTokens, c->ids, count * sizeof *c->ids);
      if (fits(c, &c->after->state, room - (int32_t)count)) {
        for (uint32_t i = 0; i < count; i++) {
          uint32_t id = c->tokens[c->nTokens];
          thimble_span bytes = piece(m, id);
          for (uint32_t j = 0; j < bytes.bytes; j++) place_step(m, &c->words, c->place, bytes.at[j]);
          if (takes_back(c, id, c->place, &isBad)) return end_before_last(c);
          if (isBad) return lost;
        }
        continue;
      }
    }
    uint32_t id = 0, allowedIds = allowed(c, c->place, &id);
    if (!allowedIds) return lost;
    choice choice = {0};
    if (allowedIds > 1) {
      choice = choose(c);
      id = choice.id;
    }
    thimble_span bytes = piece(m, id);
    place_copy(&c->words, c->place, c->after);
    bool goes = true;
    for (uint32_t j = 0; j < bytes.bytes && goes; j++) goes = place_step(m, &c->words, c->after, bytes.at[j]);
    if (!goes) {
      place_copy(&c->words, c->place, c->after);
      if (!place_free(m, c->after, id)) return lost;
    }
    if (!fits(c, &c->after->state, room - 1)) {
      uint32_t last = finish(c, &c->place->state, (uint32_t)room);
      if (last > (uint32_t)room) return lost;
      memcpy(c->tokens + c->nTokens, c->ids, last * sizeof *c->ids);
      for (uint32_t i = 0; i < last; i++)
        if (!push(c, c->tokens[c->nTokens])) return lost;
      *cutShort = true;
      return NULL;
    }
    place_copy(&c->words, c->after, c->place);
    if (allowedIds > 1)
      c->steps[c->nSteps++] = (decided){(uint16_t)c->textBytes, (uint16_t)choice.second, choice.logProb, choice.margin};
    if (takes_back(c, id, c->place, &isBad)) return end_before_last(c);
    if (isBad) return lost;
  }
  return NULL;
}

/* Takes bytes at a multiple of 16. */
static void *take(uint8_t *start, uint64_t *at, uint64_t bytes) {
  void *here = start ? start + *at : NULL;
  *at += (bytes + 15) / 16 * 16;
  return here;
}

/* Between two functions of the engine, in its memory: where texts become ids, or places on the way through a piece. */
static uint64_t plan_shared(call *c, uint32_t ids, uint8_t *start) {
  uint64_t at = 0, places = 0;
  c->stack = take(start, &places, (uint64_t)place_bytes(&c->words) * (c->m->longestPiece + 1));
  c->work.starts = take(start, &at, 2 * (c->work.most + 1));
  c->work.pairs = take(start, &at, 2 * (c->work.most + 1));
  c->otherIds = take(start, &at, 2 * (ids + 1));
  c->scratch = take(start, &at, c->work.most);
  return places > at ? places : at;
}

uint32_t call_plan(call *c, const thimble_model *m, const thimble_limits *limits, uint32_t spare, uint8_t *arena) {
  uint32_t most = m->positions - 1;
  memset(c, 0, sizeof *c);
  if (!m->positions || !limits->requestTokens || limits->requestTokens > most || limits->answerTokens > most ||
      limits->answerTokens < 4 || (limits->cacheBits != 8 && limits->cacheBits != 16))
    return 0;
  c->m = m;
  c->answerTokens = limits->answerTokens;
  c->mostText = c->answerTokens * m->longestPiece;
  c->mostRequest = 8u * limits->requestTokens + 16;
  uint32_t inside = 2 * c->mostRequest, ids = limits->answerTokens > limits->requestTokens ? limits->answerTokens : limits->requestTokens;
  c->words.isOn = m->copies != 0;
  c->words.setWords = (inside + 1 + 31) / 32;
  c->work.most = c->mostText + m->longestPiece > c->mostRequest + 1 ? c->mostText + m->longestPiece : c->mostRequest + 1;
  uint64_t at = engine_plan(&c->engine, m, limits, (uint32_t)plan_shared(c, ids, NULL), spare, arena);
  if (!at) return 0;
  if (arena) plan_shared(c, ids, c->engine.shared);
  c->request = take(arena, &at, c->mostRequest);
  c->words.text = take(arena, &at, inside);
  c->words.marks = take(arena, &at, inside + 1);
  c->words.before = take(arena, &at, 2 * (inside + 1));
  c->words.endAfter = take(arena, &at, 2 * (c->mostRequest + 1));
  c->ids = take(arena, &at, 2 * (ids + 1));
  c->text = take(arena, &at, c->mostText);
  c->tokens = take(arena, &at, 2 * (c->answerTokens + 2));
  c->callEnds = take(arena, &at, 2 * c->answerTokens);
  c->steps = take(arena, &at, sizeof *c->steps * c->answerTokens);
  c->mask = take(arena, &at, 4 * ((m->vocabSize + 31) / 32));
  if (m->contrastiveHidden && m->nTools && (m->leanTool != 0 || m->leanNone != 0))
    c->leans = take(arena, &at, 8ull * (m->nTools + 1));
  if (c->leans && m->leanWord != 0) c->found = take(arena, &at, m->nTools);
  if (m->leanNumber != 0) {
    c->said = take(arena, &at, allSaid * sizeof *c->said);
    c->enums = take(arena, &at, sizeof *c->enums);
  }
  c->place = take(arena, &at, place_bytes(&c->words));
  c->after = take(arena, &at, place_bytes(&c->words));
  return at > UINT32_MAX / 2 ? 0 : (uint32_t)at;
}

size_t thimble_arena(const thimble_model *m, const thimble_limits *limits) {
  call c;
  return call_plan(&c, m, limits, 0, NULL);
}

size_t thimble_arena_most(const thimble_model *m, const thimble_limits *limits) {
  call c;
  uint32_t least = call_plan(&c, m, limits, 0, NULL);
  return least ? least + padded(c.engine.usefulBytes - c.engine.restBytes, 16) : 0;
}

const char *thimble_call(const thimble_model *m, const thimble_limits *limits, void *arena, size_t arenaBytes,
                         const char *request, size_t requestBytes, thimble_answer *answer) {
  call c;
  memset(answer, 0, sizeof *answer);
  uint32_t needed = (uint32_t)thimble_arena(m, limits), most = (uint32_t)thimble_arena_most(m, limits);
  if (!needed) return "limits: expected 1 to 128 tokens of request, 4 to 128 of answer, caches of 8 or 16 bits, got others";
  if (arenaBytes < needed) return "arena: expected as many bytes as thimble_arena says, got fewer; allow fewer tokens";
  if ((uintptr_t)arena % 16) return "arena: expected a place at a multiple of 16, got another; align it";
  call_plan(&c, m, limits, (uint32_t)((arenaBytes < most ? arenaBytes : most) - needed) / 16 * 16, arena);
  *c.tokens++ = id_eos;
  const uint8_t *typed = (const uint8_t *)request;
  if (requestBytes > 1u << 16) return "request: expected at most 65536 bytes, got more; shorten it";
  if (!is_utf8(typed, (uint32_t)requestBytes)) return "request: expected UTF-8, got other bytes; send text";
  c.requestBytes = read_request(typed, (uint32_t)requestBytes, c.request, c.mostRequest);
  if (!c.requestBytes) return "request: expected text, got none; say what to do";
  static const char tooLong[] = "request: expected at most limits.requestTokens, and 8 bytes for each, got more; shorten it or allow more";
  if (c.requestBytes > c.mostRequest) return tooLong;
  mend_request(&c);
  uint32_t n = tokenize_request(m, &c.work, c.request, c.requestBytes, c.scratch, c.ids, limits->requestTokens);
  if (n > limits->requestTokens) return tooLong;
  if (!n) return "request: expected text, got none; say what to do";
  if (!read_words(&c.words, c.request, c.requestBytes, 2 * c.mostRequest)) return tooLong;
  if (c.said) {
    find_figures(&c);
    memset(c.enums, 0, sizeof *c.enums);
  }
  if (c.leans) rate_tools(&c, n);
  engine_prefill(&c.engine, c.ids, n);
  bool cutShort;
  const char *error = write_answer(&c, &cutShort);
  if (error) return error;
  answer->tokens = c.tokens;
  answer->nTokens = c.nTokens;
  answer->requestTokens = n;
  answer->decisions = c.decisions;
  answer->cutShort = cutShort;
  return write_result(&c, answer);
}
