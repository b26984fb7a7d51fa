/* The numbers that a request says (said.c), put into the choice of those that a call holds. Source: runtime/answer/figures.ts. */
#include "small.h"

#include "extremes.h"
#include "said.h"
#include "timeofday.h"
#include "units.h"

enum { mostText = 24 };

/* What the last word of a key counts, and whether that is of a time of day or a length of time: "hour" or "hours". */
typedef struct {
  uint32_t unit;
  bool isLevel;  /* what may be at its most or least: not hours, cups or ids */
  bool isHand, isLength;
  bool isDistance; /* maybe in kilometres */
} key_unit;

/* Letters of the longest unit, in the plural. */
enum { mostUnit = 12 };

static const char levels[] =
    " level volume brightness percent percentage intensity speed strength power heat temperature degrees celsius setting position stars rating "
    "zoom bass treble warmth contrast ";

/* What a key of so many last bytes counts, by its last word. */
static key_unit unit_of_key(const uint8_t *key, uint32_t bytes) {
  uint32_t at = bytes;
  while (at && key[at - 1] >= 'a' && key[at - 1] <= 'z') at--;
  if (at && key[at - 1] >= 'A' && key[at - 1] <= 'Z') at--;
  uint32_t letters = bytes - at;
  const uint8_t *word = key + at;
  key_unit found = {0};
  if (letters > mostUnit || place_of_word(word, letters, " day week month ") >= 0) return found;
  found.unit = unit_of(word, letters);
  found.isLevel = place_of_word(word, letters, levels) >= 0;
  found.isHand = place_of_word(word, letters, " hour minute ") >= 0;
  found.isLength = is_time(found.unit) && letters > 2 && word[letters - 1] == 's';
  found.isDistance = place_of_word(word, letters, " distance length radius range ") >= 0;
  return found;
}

/* Of a whole key. */
static key_unit unit_under(thimble_span key) {
  uint32_t before = key.bytes > mostUnit ? key.bytes - mostUnit - 1 : 0;
  return unit_of_key(key.at + before, key.bytes - before);
}

/* What a number may stand for, and which of these, by bits, are parts of what is said. */
typedef struct {
  int64_t values[8];
  uint32_t n, parts;
  bool isSigned, falls; /* below nothing too; as words around it say */
} meanings;

static void mean(meanings *m, int64_t value, bool isPart) {
  if (value > mostExact || value < -mostExact) return;
  m->parts |= (uint32_t)isPart << m->n;
  m->values[m->n++] = value;
  if (!m->isSigned || value <= 0) return;
  m->parts |= (uint32_t)(isPart || !m->falls) << m->n;
  m->values[m->n++] = -value;
}

static bool is_amount(uint32_t unit) {
  return unit && !is_time(unit);
}

/*
 * Mass, volume or length, and another of these or vessels: times also say how often, "20 ml an hour" under "ml_per_hour". Under a
 * length of time these, and the time of a day: "a 20 km ride", "a timer until 5". Of "10k" nobody knows whether these are thousands.
 */
static bool is_other(const key_unit *key, uint32_t unit, uint32_t under, bool isOfVessels, bool isTold) {
  if (key->isLength) return unit ? is_amount(unit) : isTold;
  if (!under) return unit == unit_k && !key->isDistance;
  return is_amount(under) && (unit ? is_amount(unit) && !is_alike(unit, under) : isOfVessels);
}

/* What the i-th number may stand for under a key. */
static meanings values_under(const call *c, const key_unit *key, uint32_t i) {
  const said *one = &c->said[i];
  uint32_t under = beside(key->unit, one->unit), unit = beside(one->unit, under), size = size_of(under), own = size_of(unit), alike = 0;
  bool isSigned = !one->bound && (!key->isHand || one->mayFall);
  meanings m = {.isSigned = isSigned, .falls = isSigned && one->mayFall};
  if (one->bound) {
    mean(&m, one->millionths, true);
    return m;
  }
  if (key->isHand && one->clock == key->unit) mean(&m, one->millionths, false);
  if (one->clock || (key->isHand && one->isTold)) return m;
  /* "An alarm for 9, please" is at nine sharp. */
  if (key->isHand && key->unit == minute_clock && !is_time(unit)) mean(&m, 0, false);
  if (!is_alike(unit, under)) {
    mean(&m, one->millionths, is_other(key, unit, under, one->isOfVessels, one->isTold));
    if (!under && unit == unit_k) mean(&m, times(one->millionths, 1000), true);
    bool isShare = !key->unit && !unit && one->inWords && one->millionths > 0 && one->millionths < million;
    if (isShare) mean(&m, 100 * one->millionths, true);
    return m;
  }
  if (one->isPart && own != size) return m;
  /* Which of several is meant nobody knows. */
  for (uint32_t j = 0; j < c->nSaid; j++) {
    uint32_t other = c->said[j].unit, at = beside(key->unit, other);
    alike += !c->said[j].isPart && is_alike(beside(other, at), at);
  }
  bool isUnsure = alike != 1 && own != size;
  int64_t all = times(one->millionths, own), whole = (int64_t)size * million, value = inexact;
  if (own % size == 0) value = times(one->millionths, own / size);
  else if (all != inexact && all % size == 0) value = all / size;
  if (value != inexact) mean(&m, value, isUnsure);
  if (all == inexact || !is_time(unit)) return m;
  if (all > whole) mean(&m, (all - all % whole) / size, true);
  int64_t rest = key->unit == unit_second || key->unit == unit_minute ? all % (60 * whole) : 0;
  if (rest > 0 && rest < all && rest % size == 0) mean(&m, rest / size, true);
  return m;
}

void add_places(const call *c, thimble_span key, double value, places *p) {
  key_unit unit = unit_under(key);
  for (uint32_t i = 0; c->said && i < c->nSaid; i++) {
    meanings m = values_under(c, &unit, i);
    if (c->said[i].isCut || (unit.isLevel && c->said[i].isChange)) continue;
    /* Midnight is the hour and the minute. */
    for (uint32_t n = m.n; n--;)
      if (!(m.parts >> n & 1) && (double)m.values[n] / million == value) {
        add_place(p, c->said[i].clock ? c->requestBytes + i : c->said[i].start, c->said[i].end);
        p->isTime = p->isTime || c->said[i].clock;
      }
  }
  /* What is asked for as the most or the least is any argument's. */
  for (uint32_t i = c->said && unit.isLevel ? c->nReached : 0; i--;)
    if ((double)c->reached[i] / million == value) add_place(p, c->requestBytes + allSaid + (uint32_t)(key.at - c->text), 0);
}

bool counts_other(const call *c, thimble_span key, const said_number *number) {
  key_unit of = unit_under(key);
  uint32_t after, said = counted_by(c->request, c->requestBytes, number, &after), under = beside(of.unit, said), unit = beside(said, under);
  bool isTold = false;
  if (!c->said) return false;
  for (uint32_t i = 0; i < c->nSaid; i++) isTold = isTold || (c->said[i].isTold && c->said[i].start == number->start);
  return is_other(&of, unit, under, counts_vessels(c->request, c->requestBytes, number->end), isTold) || (is_alike(unit, under) && size_of(unit) != size_of(under)) || (of.isLevel && is_change(c->request, c->requestBytes, number->start, number->end));
}

/* A number as JSON; its bytes. */
static uint32_t write_decimal(int64_t millionths, uint8_t *to) {
  uint8_t digits[mostText];
  uint32_t n = 0, length = 0;
  uint64_t size = (uint64_t)(millionths < 0 ? -millionths : millionths), part = size % million;
  if (millionths < 0) to[length++] = '-';
  for (size /= million; size || !n; size /= 10) digits[n++] = (uint8_t)('0' + size % 10);
  while (n) to[length++] = digits[--n];
  if (part) to[length++] = '.';
  for (uint64_t power = million / 10; part; part %= power, power /= 10) to[length++] = (uint8_t)('0' + part / power);
  return length;
}

/* The answer's text and a piece behind it. */
typedef struct {
  const call *c;
  thimble_span piece;
} tail;

static int byte_of(const tail *t, uint32_t at) {
  return byte_with(t->c, t->piece, at);
}

static bool in_number(int byte) {
  return byte == '-' || byte == '.' || (byte >= '0' && byte <= '9');
}

/* A number that is being written: where it begins, and the unit of its key. */
typedef struct {
  uint32_t start;
  key_unit unit;
} open_number;

/* Whether the first `bytes` end in the value of a key, or in an item of its list, that is a number or may become one. */
static bool find_open(const tail *t, uint32_t bytes, open_number *open) {
  uint32_t at = bytes, end;
  while (at && in_number(byte_of(t, at - 1))) at--;
  open->start = at;
  /* Items of a list before it. */
  while (at && byte_of(t, at - 1) == ',') {
    end = --at;
    while (at && in_number(byte_of(t, at - 1))) at--;
    if (at == end) return false;
  }
  if (at && byte_of(t, at - 1) == '[') at--;
  else if (at < open->start) return false;
  if (at < 3 || byte_of(t, at - 1) != ':' || byte_of(t, at - 2) != '"') return false;
  end = at - 2;
  while (at > 2 && byte_of(t, at - 3) != '"' && byte_of(t, at - 3) != '\\') at--;
  if (at < 3 || byte_of(t, at - 3) != '"') return false;
  uint8_t last[mostUnit + 1];
  uint32_t length = end - (at - 2) < sizeof last ? end - (at - 2) : sizeof last;
  for (uint32_t i = 0; i < length; i++) last[i] = (uint8_t)byte_of(t, end - length + i);
  open->unit = unit_of_key(last, length);
  return true;
}

/* How the pieces go on that end a key and begin its number. */
static const thimble_span keyEnd = {(const uint8_t *)"\":", 2};

/* Whether a number begins with the digits that are written, and the schema takes the rest of it after what stands before it. */
static bool fits_here(const call *c, const tail *t, uint32_t start, const uint8_t *text, uint32_t bytes) {
  state at = c->place->state, end;
  for (uint32_t i = c->textBytes; i < start; i++)
    if (!grammar_step(c->m, &at, byte_of(t, i))) return false;
  for (uint32_t i = 0; i < bytes; i++)
    if (start + i < c->textBytes ? text[i] != byte_of(t, start + i) : !grammar_step(c->m, &at, text[i])) return false;
  for (const char *next = ",]}"; *next && start + bytes >= c->textBytes; next++) {
    end = at;
    if (grammar_step(c->m, &end, (uint8_t)*next)) return true;
  }
  return false;
}

/* Whole numbers between which a bound is looked for; of those beyond up to `beyondBound` the hundreds. */
enum { leastBound = -100, mostBound = 1000, beyondBound = 9900 };

/* What a schema without a minimum takes, be it a multiple of whatever up to 16. */
static const int64_t farBelow = -1081080000ll * million;

static bool takes_number(const call *c, const tail *t, uint32_t start, int64_t value) {
  uint8_t text[mostText];
  return fits_here(c, t, start, text, write_decimal(value, text));
}

/* What the number that begins may be at the most and the least. */
static void find_bounds(call *c, const tail *t, const open_number *open) {
  int first = INT32_MAX, last = INT32_MIN;
  c->boundsAt = open->start;
  for (int n = beyondBound; open->unit.isLevel && n >= leastBound - 100; n -= n > mostBound + 100 ? 100 : 1) {
    if (!takes_number(c, t, open->start, (int64_t)n * million)) continue;
    if (last < n) last = n;
    first = n;
  }
  for (uint32_t i = 0; i < c->nSaid; i++) {
    said *one = &c->said[i];
    if (!one->bound) continue;
    bool isMost = one->bound == asks_most, isNone = first >= last;
    int bound = isMost ? last : first;
    int64_t value = (int64_t)bound * million, tenth = isMost ? million / 10 : -million / 10;
    /* Between whole numbers it may be at tenths or quarters. */
    isNone = isNone || bound < leastBound || bound > mostBound || takes_number(c, t, open->start, value + tenth) ||
             takes_number(c, t, open->start, value + 5 * tenth) || takes_number(c, t, open->start, value + 5 * tenth / 2);
    one->millionths = isNone ? inexact : value;
    if (!isNone && c->nSaid == 1 && c->nReached < sizeof c->reached / sizeof *c->reached) c->reached[c->nReached++] = value;
  }
}

/* Notes which of the numbers that are said may stand in the value that is open or comes next, by bits of what each may stand for. */
static void note_fitting(call *c) {
  tail t = {c, {NULL, 0}};
  open_number open;
  bool isThere = find_open(&t, c->textBytes, &open), fitted = false;
  if (!isThere) {
    t.piece = keyEnd;
    isThere = find_open(&t, c->textBytes + keyEnd.bytes, &open);
  }
  if (isThere && open.start != c->boundsAt && c->said[c->nSaid - 1].bound) find_bounds(c, &t, &open);
  bool isFree = isThere && open.start >= c->textBytes && takes_number(c, &t, open.start, farBelow);
  for (uint32_t i = 0; i < c->nSaid && isThere; i++) {
    bool isOther = c->said[i].isOther && fitted;
    meanings m = values_under(c, &open.unit, i);
    c->fitting[i] = fitted = 0;
    for (uint32_t n = m.n; n--;) {
      uint8_t text[mostText];
      fitted = fits_here(c, &t, open.start, text, write_decimal(m.values[n], text));
      if (fitted && !isOther) c->fitting[i] |= 1u << n;
    }
    /* Below nothing is what the request or the schema says so of; where both do, nothing else. */
    for (uint32_t n = 1; n < m.n && m.falls != isFree; n++)
      if (m.values[n] < 0 && m.values[n - 1] > 0 && (isFree || c->fitting[i] >> n & 1)) c->fitting[i] &= (uint8_t)~((isFree ? 2u : 1u) << (n - 1));
  }
}

enum { leads_elsewhere, leads_to_said, leads_to_unsaid };

static int leads(const call *c, uint32_t id) {
  tail t = {c, piece(c->m, id)};
  open_number open;
  uint32_t end = c->textBytes, all = end + t.piece.bytes;
  bool isOpen = find_open(&t, end, &open);
  if (isOpen)
    while (end < all && in_number(byte_of(&t, end))) end++;
  else if (t.piece.bytes && memchr(t.piece.at, ':', t.piece.bytes) && find_open(&t, all, &open)) end = all;
  else return leads_elsewhere;
  uint32_t length = end - open.start;
  if (isOpen && !length) return leads_elsewhere;
  bool isKnown = isOpen || open.start == c->textBytes + keyEnd.bytes;
  for (uint32_t i = 0; i < c->nSaid; i++) {
    if (isKnown && !c->fitting[i]) continue;
    meanings m = values_under(c, &open.unit, i);
    for (uint32_t n = m.n; n--;) {
      uint8_t text[mostText];
      if (isKnown && !(c->fitting[i] >> n & 1)) continue;
      uint32_t bytes = write_decimal(m.values[n], text), same = 0;
      while (same < length && same < bytes && text[same] == byte_of(&t, open.start + same)) same++;
      if (same == length && (!isOpen || end == all || bytes == length)) return leads_to_said;
    }
  }
  return leads_to_unsaid;
}

/* Of an enum half of what a number costs. */
static double price_of(const void *from, uint32_t id) {
  const call *c = from;
  double price = c->m->leanNumber, gain = 0;
  if (c->pricesNumbers && leads(c, id) == leads_to_unsaid) gain -= price;
  if (c->pricesEnums) gain -= enum_prices(c, id) * price / 2;
  return gain;
}

bool find_price(call *c, gain *gain) {
  bool isSaid = false, isUnsaid = false;
  if (c->nSaid) note_fitting(c);
  for (uint32_t id = 0; c->nSaid && id < c->m->vocabSize; id++) {
    if (!(c->mask[id >> 5] >> (id & 31) & 1)) continue;
    int leading = leads(c, id);
    isSaid = isSaid || leading == leads_to_said;
    isUnsaid = isUnsaid || leading == leads_to_unsaid;
  }
  c->pricesNumbers = isSaid && isUnsaid;
  c->pricesEnums = c->enums && find_enums(c);
  gain->of = price_of;
  gain->from = c;
  return c->pricesNumbers || c->pricesEnums;
}
