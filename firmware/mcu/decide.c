/*
 * How sure the model was of each call, where its values come from, and what to do: act, confirm or ask. Source:
 * runtime/answer/toolcall.ts, provenance.ts, decision.ts.
 */
#include "small.h"

#include <math.h>

#include "call.h"
#include "json.h"
#include "rows.h"
#include "said.h"

/* Margins above this many logits, and log-probabilities below minus this, say no more. */
static const float cap = 8;

/* Of a union the first option that has a value, NULL for none. A default stands before its schema. */
static const uint8_t *option_for(const uint8_t *schema, json j) {
  if (*schema == schema_default) return option_for(schema + 3 + u16_at(schema + 1), j);
  if (*schema != schema_anyOf) return schema;
  const uint8_t *at = schema + 3;
  for (uint32_t n = u16_at(schema + 1); n; n--, at = schema_end(at))
    if (has_value(at, j)) return option_for(at, j);
  return NULL;
}

static bool is_same(thimble_span text, json j) {
  return text.bytes == (uint32_t)(j.end - j.at) && !memcmp(text.at, j.at, text.bytes);
}

/* How many values the enum of the schema has that lists a value; 0 for none. */
static uint32_t listed_among(const uint8_t *schema, json j) {
  const uint8_t *at = schema + 3;
  if (*schema == schema_default) return listed_among(at + u16_at(schema + 1), j);
  if (*schema != schema_anyOf && *schema != schema_enum) return 0;
  for (uint32_t n = u16_at(schema + 1); n; n--) {
    if (*schema == schema_enum) {
      if (is_same((thimble_span){at + 2, u16_at(at)}, j)) return u16_at(schema + 1);
      at += 2 + u16_at(at);
    } else {
      uint32_t among = listed_among(at, j);
      if (among) return among;
      at = schema_end(at);
    }
  }
  return 0;
}

/* What a request's digits come to: also more than millionths hold, as a phone number's. */
static double digits_of(const call *c, const said_number *number) {
  uint32_t n = 0;
  for (uint32_t at = number->start; at < number->end; at++)
    if (c->request[at] != ',' && c->request[at] != '+') c->scratch[n++] = c->request[at];
  return json_number(c->scratch, c->scratch + n);
}

void add_place(places *p, uint32_t at, uint32_t end) {
  if (end > p->end) p->end = end;
  uint32_t i = 0;
  while (i < p->n && p->at[i] != at) i++;
  if (i == p->n && i < sizeof p->at / sizeof *p->at) p->at[p->n++] = at;
}

/* Adds where the request says a number that may stand under a key; before digits a sign may also be a mark. */
static void find_places(const call *c, thimble_span key, double value, places *p) {
  said_number numbers[mostNumbers];
  uint32_t n = numbers_in(c->request, c->requestBytes, c->work.starts, c->work.pairs, numbers, mostNumbers);
  for (uint32_t i = 0; i < n && i < mostNumbers; i++) {
    if (numbers[i].isCut || counts_other(c, key, &numbers[i]) || (numbers[i].inWords && numbers[i].millionths == inexact)) continue;
    double said = numbers[i].inWords ? (double)numbers[i].millionths / million : digits_of(c, &numbers[i]);
    if (said == value || (!numbers[i].inWords && (said < 0 ? -said : said) == value)) add_place(p, numbers[i].start, numbers[i].end);
  }
  add_places(c, key, value, p);
}

/* Numbers of a call that the request says, by argument, of which a list is one. */
typedef struct {
  uint32_t n, all; /* all: also those that the request does not say */
  struct {
    double value;
    thimble_span key;
    const uint8_t *schema; /* of the argument */
    uint32_t times;
  } of[16];
} arguments_said;

static bool is_as_far(double a, double b) {
  return a == b || a == -b;
}

static void note_said(arguments_said *said, const uint8_t *schema, thimble_span key, double value) {
  uint32_t i = 0;
  while (i < said->n && !(said->of[i].schema == schema && is_as_far(said->of[i].value, value))) i++;
  if (i == sizeof said->of / sizeof *said->of) return;
  if (i == said->n) {
    said->of[i].value = value;
    said->of[i].key = key;
    said->of[i].schema = schema;
    said->of[said->n++].times = 0;
  }
  said->of[i].times++;
}

/* Numbers of arguments of calls before. */
typedef struct {
  uint32_t n;
  double of[32];
} spent;

/*
 * Values that another argument has already, as often as the request says them; one of a call before alone where a clause follows:
 * "brightness 80 then mute" sets no volume to 80, "volume and brightness to 80" does.
 */
static uint32_t count_again(const call *c, const arguments_said *said, spent *before) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < said->n; i++) {
    places p = {0};
    double value = said->of[i].value;
    uint32_t earlier = 0, all = 0, others = 0;
    for (uint32_t j = 0; j < before->n; j++) others += is_as_far(before->of[j], value);
    for (uint32_t j = 0; j < said->n; j++) {
      if (!is_as_far(said->of[j].value, value)) continue;
      earlier += j < i;
      all++;
      find_places(c, said->of[j].key, said->of[j].value, &p);
    }
    bool isSpent = others && others + all > p.n && p.end && !p.isTime && goes_on_after(c, p.end);
    if (isSpent || (earlier && earlier >= p.n)) count += said->of[i].times;
  }
  for (uint32_t i = 0; i < said->n && before->n < sizeof before->of / sizeof *before->of; i++) before->of[before->n++] = said->of[i].value;
  return count;
}

/* Whether the call's only number is a part of a length: of "2h 15m" neither is that by itself. */
static bool is_lone_part(const call *c, const arguments_said *said) {
  uint32_t found = 0;
  for (uint32_t i = 0; said->n == 1 && said->all == 1 && i < c->nSaid; i++)
    if (is_as_far((double)c->said[i].millionths / million, said->of[0].value)) found |= c->said[i].isPart && !c->said[i].isTold ? 1 : 2;
  return found == 1;
}

/* Whether a value under a key comes from the request; `said` NULL: it takes no number from another argument. */
static bool is_said(call *c, const uint8_t *schema, thimble_span key, json j, arguments_said *said) {
  if (*j.at != '"') {
    double value = json_number(j.at, j.end);
    places p = {0};
    find_places(c, key, value, &p);
    if (p.n && said) note_said(said, schema, key, value);
    return p.n;
  }
  uint32_t bytes = json_text(j.at + 1, j.end - 1, c->scratch), start = 0;
  while (start < bytes && c->scratch[start] == ' ') start++;
  while (bytes > start && c->scratch[bytes - 1] == ' ') bytes--;
  return is_in_request(c, (thimble_span){c->scratch + start, bytes - start});
}

/* Values within a value of an argument that nothing accounts for. `argument`: its schema. */
static uint32_t count_ungrounded(call *c, const uint8_t *schema, const uint8_t *argument, thimble_span key, json j, arguments_said *said) {
  uint32_t count = 0;
  j.end = json_end(j);
  if (!schema || j.at >= j.end || *j.at == 't' || *j.at == 'f' || *j.at == 'n') return 0;
  /* Where a number is said, one of an enum is no word's meaning: "timer for 500 minutes" of 5, 10 and 15. */
  uint32_t among = listed_among(schema, j);
  said->all += *j.at >= '-' && *j.at <= '9';
  if (among && (among == 1 || *j.at < '-' || *j.at > '9' || !c->nSaid || c->said->bound)) return 0;
  const uint8_t *one = *j.at == '[' || *j.at == '{' ? option_for(schema, j) : NULL;
  if (*j.at == '[') {
    const uint8_t *list = one && (*one == schema_array || *one == schema_tuple) ? one : NULL;
    uint32_t place = 0;
    for (json in = {j.at + 1, j.end - 1}; in.at < in.end;) {
      count += count_ungrounded(c, list ? schema_item(list, place++) : NULL, argument, key, in, said);
      in.at = json_end(in);
      if (in.at < in.end && *in.at == ',') in.at++;
    }
    return count;
  }
  if (*j.at != '{') {
    bool isDefault = *schema == schema_default && is_same((thimble_span){schema + 3, u16_at(schema + 1)}, j);
    return !isDefault && !is_said(c, argument, key, j, among ? NULL : said);
  }
  const uint8_t *object = one && *one == schema_object ? one : NULL;
  for (json in = {j.at + 1, j.end - 1}; object && in.at < in.end;) {
    json name = {in.at, json_end(in)}, value = {name.end + 1, in.end};
    const uint8_t *at = object + 3;
    for (uint32_t n = u16_at(object + 1); n; n--) {
      property known = property_at(at);
      if (is_same((thimble_span){known.key, (uint32_t)(known.inner - known.key)}, name)) {
        count += count_ungrounded(c, known.inner, known.inner, (thimble_span){name.at + 1, (uint32_t)(name.end - name.at - 2)}, value, said);
        break;
      }
      at = schema_end(known.inner);
    }
    in.at = json_end(value);
    if (in.at < in.end && *in.at == ',') in.at++;
  }
  return count;
}

/* Bytes of a call up to the end of its name. */
static uint32_t named_bytes(const thimble_model *m, uint32_t tool) {
  return (uint32_t)(sizeof BEFORE_NAME + text_at(m, m->parts[part_tools].at + 28 * tool).bytes - sizeof AFTER_NAME);
}

/* The first other tool whose call begins as the text would with the second token in a step's place. */
static uint32_t runner_up(const call *c, const decided *step, uint32_t start, uint32_t taken) {
  thimble_span second = piece(c->m, step->second);
  uint32_t before = step->start > start ? step->start - start : 0, skipped = step->start < start ? start - step->start : 0;
  for (uint32_t tool = 0; tool < c->m->nTools; tool++) {
    if (tool == taken) continue;
    for (uint32_t at = 0;; at++) {
      bool isSecond = at >= before, isPast = isSecond && at - before + skipped >= second.bytes;
      int ours = isPast ? -1 : isSecond ? second.at[at - before + skipped] : c->text[start + at];
      int theirs = call_byte(c->m, tool, at);
      if (!at && ours != '{') return thimble_noTool;
      if (ours < 0 || theirs < 0) return tool;
      if (ours != theirs) break;
    }
  }
  return thimble_noTool;
}

static float least(float a, float b) {
  return a < b ? a : b;
}

/* Keys of an object. */
static uint32_t count_keys(json j) {
  uint32_t n = 0;
  for (json in = {j.at + 1, json_end(j) - 1}; in.at < in.end; n++) {
    in.at = json_end(in) + 1;
    in.at = json_end(in);
    if (in.at < in.end) in.at++;
  }
  return n;
}

/* `args`: arguments of the call. */
static double confidence_of(const call *c, const thimble_sureness *s, uint32_t args) {
  uint32_t others = c->nCalls - 1;
  float surprise = least(cap, -s->callLogProb), doubt = 1000 * surprise / (float)(1 + args);
  const float values[trustFeatures] = {1,
                                       least(cap, s->nameMargin),
                                       -least(cap, -s->nameLogProb),
                                       least(cap, s->callMargin),
                                       -surprise,
                                       logarithm(doubt > 1 ? doubt : 1),
                                       s->ungrounded < 2 ? s->ungrounded : 2,
                                       others < 2 ? (float)others : 2};
  double sum = 0;
  for (uint32_t i = 0; i < trustFeatures; i++) sum += trust_at(c->m, i) * values[i];
  return sigmoid((float)sum);
}

static uint32_t decide(const thimble_model *m, const thimble_sureness *s, bool mayAct) {
  enum { safe, confirm, danger };
  uint32_t risk = m->parts[part_trust].at[trustRisks + s->tool];
  double act = trust_at(m, trustAct), bar = risk == safe ? act : (1 + act) / 2;
  if (mayAct && act < 1 && s->confidence >= bar) return risk == danger ? thimble_confirm : thimble_act;
  return s->confidence >= (risk == danger ? act : trust_at(m, trustConfirm)) ? thimble_confirm : thimble_ask;
}

/* Whether a request says within its first words what not to do: no "don't forget", no "do not disturb". */
static bool forbids(const uint8_t *text, uint32_t bytes) {
  for (uint32_t words = 0, at = 0; words < 4 && at < bytes; words++, at++) {
    uint32_t verb = begins_with(text + at, bytes - at, " do "), from = at + verb;
    uint32_t not = begins_with(text + from, bytes - from, verb ? " not " : " don't dont never ");
    const uint8_t *what = text + from + not;
    uint32_t left = bytes - from - not;
    if (not && !begins_with(what, left, " forget let disturb worry ") && place_of_word(what, left, " disturb ") < 0) return true;
    while (at < bytes && text[at] != ' ') at++;
  }
  return false;
}

uint32_t rate_calls(call *c, bool cutShort, thimble_sureness *sure) {
  const thimble_model *m = c->m;
  uint32_t careful = c->nCalls ? thimble_act : cutShort ? thimble_ask : thimble_none;
  bool isForbidden = forbids(c->request, c->requestBytes);
  spent before = {0};
  for (uint32_t i = 0; i < c->nCalls; i++) {
    thimble_span text = call_text(c, i);
    uint32_t tool = tool_of(m, text), start = (uint32_t)(text.at - c->text), open = i ? c->callEnds[i - 1] : 0;
    uint32_t named = named_bytes(m, tool), nameEnd = start + named;
    thimble_sureness s = {.tool = (uint16_t)tool, .runnerUp = thimble_noTool, .nameMargin = INFINITY, .callMargin = INFINITY};
    const decided *closest = NULL;
    for (const decided *step = c->steps; step < c->steps + c->nSteps; step++) {
      if (step->start < open || step->start >= start + text.bytes) continue;
      s.callLogProb += step->logProb;
      s.callMargin = least(s.callMargin, step->margin);
      if (step->start >= nameEnd) continue;
      s.nameLogProb += step->logProb;
      s.nameMargin = least(s.nameMargin, step->margin);
      if (!closest || step->margin < closest->margin) closest = step;
    }
    if (closest) s.runnerUp = (uint16_t)runner_up(c, closest, start, tool);
    /* Up to the brace that closes the arguments; the call's own follows. */
    json args = {text.at + named + sizeof AFTER_NAME - 2, text.at + text.bytes - 1};
    const uint8_t *schema = m->parts[part_schemas].at + u32_at(m->parts[part_tools].at + 28 * tool + 24);
    arguments_said said = {0};
    s.ungrounded = (uint16_t)count_ungrounded(c, schema, schema, (thimble_span){NULL, 0}, args, &said);
    s.ungrounded = (uint16_t)(s.ungrounded + count_again(c, &said, &before));
    if (is_lone_part(c, &said)) s.ungrounded = (uint16_t)(s.ungrounded + said.of[0].times);
    s.confidence = (float)confidence_of(c, &s, count_keys(args));
    s.decision = (uint16_t)decide(m, &s, !s.ungrounded && !isForbidden && !(cutShort && i + 1 == c->nCalls));
    if (s.decision < careful) careful = s.decision;
    sure[i] = s;
  }
  return careful;
}
