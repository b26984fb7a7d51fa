/* The numbers that a request says, put into the choice of those that a call holds. Source: runtime/answer/figures.ts. */
#include "timeofday.h"
#include "units.h"

enum { mostText = 24 };

static uint32_t letters_from(const uint8_t *text, uint32_t bytes, uint32_t at) {
  uint32_t size, end = at;
  while (end < bytes && class_of(point_at(text + end, &size)) & class_letter) end += size;
  return end - at;
}

/* Where the character before a place begins. */
static uint32_t before(const uint8_t *text, uint32_t at) {
  do at--;
  while (at && (text[at] & 0xc0) == 0x80);
  return at;
}

static uint32_t class_before(const uint8_t *text, uint32_t at) {
  uint32_t size;
  return at ? class_of(point_at(text + before(text, at), &size)) : 0;
}

static uint32_t letters_before(const uint8_t *text, uint32_t least, uint32_t at) {
  uint32_t start = at;
  while (start > least && class_before(text, start) & class_letter) start = before(text, start);
  return at - start;
}

/* Bytes of "a " or "an " at a place, 0 for neither. */
static uint32_t article_at(const uint8_t *text, uint32_t bytes, uint32_t at) {
  uint32_t length = at + 1 < bytes && (text[at + 1] | 32) == 'n' ? 2 : 1;
  return (text[at] | 32) == 'a' && at + length < bytes && text[at + length] == ' ' ? length + 1 : 0;
}

static bool goes_on(const uint8_t *text, uint32_t bytes, uint32_t at, const char *with, uint32_t length) {
  return at + length <= bytes && !memcmp(text + at, with, length);
}

/* The unit of what a number counts, and where its word ends: "an hour and a half" has it within, "half an hour" after. */
static uint32_t counted_by(const uint8_t *text, uint32_t bytes, const said_number *number, uint32_t *after) {
  static const char joint[] = " and a ";
  *after = number->end;
  uint32_t fraction = letters_before(text, number->start, number->end), at = number->end - fraction;
  if (fraction && at >= number->start + sizeof joint - 1 && !memcmp(text + at - (sizeof joint - 1), joint, sizeof joint - 1)) {
    at -= sizeof joint - 1;
    uint32_t length = letters_before(text, number->start, at);
    if (length) return unit_of(text + at - length, length);
  }
  at = number->end;
  if (at < bytes && (text[at] == ' ' || text[at] == '-')) at++;
  if (goes_on(text, bytes, at, "of ", 3)) at += 3;
  if (goes_on(text, bytes, at, "a ", 2)) at += 2;
  else if (goes_on(text, bytes, at, "an ", 3)) at += 3;
  uint32_t letters = letters_from(text, bytes, at);
  if (letters) *after = at + letters;
  return unit_of(text + at, letters);
}

/* Where the numbers of a request stand, up to the end of what they count. */
typedef struct {
  uint32_t start, after;
} span;

static void say(call *c, span *spans, span at, said one) {
  if (c->nSaid < mostSaid) {
    c->said[c->nSaid] = one;
    spans[c->nSaid] = at;
  }
  c->nSaid++;
}

/* "an hour": one of a unit that no number counts. */
static void say_articles(call *c, const said_number *numbers, uint32_t n, span *spans) {
  const uint8_t *text = c->request;
  uint32_t bytes = c->requestBytes;
  for (uint32_t at = 0; at < bytes;) {
    bool isFirst = !(class_before(text, at) & (class_letter | class_number));
    uint32_t article = isFirst ? article_at(text, bytes, at) : 0;
    uint32_t length = article ? letters_from(text, bytes, at + article) : 0;
    if (!length) {
      at++;
      continue;
    }
    uint32_t unit = unit_of(text + at + article, length), end = at + article + length;
    bool isPart = false;
    for (uint32_t i = 0; i < n; i++) isPart = isPart || (numbers[i].start < end && numbers[i].end + 4 >= at);
    if (unit && !isPart) say(c, spans, (span){at, end}, (said){.millionths = million, .unit = (uint8_t)unit});
    at = end;
  }
}

/* The number that goes on with one in a smaller unit, "and 5 minutes"; `n` for none. */
static uint32_t next_part(const call *c, const span *spans, uint32_t n, uint32_t one) {
  uint32_t i = 0;
  for (; i < n; i++) {
    uint32_t from = spans[one].after, bytes = spans[i].start - from;
    if (spans[i].start <= from || !is_alike(c->said[one].unit, c->said[i].unit) || size_of(c->said[one].unit) <= size_of(c->said[i].unit))
      continue;
    bool isComma = c->request[from] == ',';
    if (goes_on(c->request, c->requestBytes, from + isComma, " and ", 5) ? bytes == 5u + isComma
                                                                        : isComma && bytes == 2 && c->request[from + 1] == ' ')
      break;
    if (bytes == 1 && c->request[from] == ' ') break;
  }
  return i;
}

/* Lengths that are said in several units, the largest first, as one number of the last; their parts are marked. */
static void say_compounds(call *c, span *spans) {
  uint32_t n = c->nSaid < mostSaid ? c->nSaid : mostSaid;
  for (uint32_t head = 0; head < n; head++) {
    int64_t all = 0;
    uint32_t before = 0, last = head;
    while (before < n && next_part(c, spans, n, before) != head) before++;
    if (before < n || next_part(c, spans, n, head) == n) continue;
    for (uint32_t i = head; i < n; i = next_part(c, spans, n, last = i)) {
      int64_t own = times(c->said[i].millionths, size_of(c->said[i].unit));
      all = all == inexact || own == inexact ? inexact : all + own;
    }
    uint32_t size = size_of(c->said[last].unit);
    if (all == inexact || all > mostExact || all % size) continue;
    for (uint32_t i = head; i < n; i = next_part(c, spans, n, i)) c->said[i].isPart = true;
    say(c, spans, spans[head], (said){.millionths = all / size, .unit = c->said[last].unit});
  }
}

void find_figures(call *c) {
  said_number numbers[mostNumbers];
  span spans[mostSaid];
  uint32_t n = numbers_in(c->request, c->requestBytes, c->work.starts, c->work.pairs, numbers, mostNumbers);
  c->nSaid = 0;
  if (n > mostNumbers) return;
  bool isExact = true;
  uint32_t kept = 0, told;
  for (uint32_t i = 0; i < n; i++) {
    bool isShort = false;
    for (uint32_t j = 0; j < n; j++)
      isShort = isShort || (numbers[j].start == numbers[i].start && numbers[j].end > numbers[i].end);
    if (!isShort) numbers[kept++] = numbers[i];
  }
  for (uint32_t i = 0; i < kept; i++) {
    span at = {numbers[i].start, 0};
    isExact = isExact && numbers[i].millionths != inexact;
    uint8_t unit = (uint8_t)counted_by(c->request, c->requestBytes, &numbers[i], &at.after);
    say(c, spans, at, (said){.millionths = numbers[i].millionths, .unit = unit, .inWords = numbers[i].inWords});
  }
  say_articles(c, numbers, kept, spans);
  say_compounds(c, spans);
  told = say_times(c, numbers, kept);
  for (uint32_t i = 0; i < kept && i < mostSaid; i++) c->said[i].isTold = told >> i & 1;
  /* What cannot be counted exactly might be what is meant. */
  if (!isExact || c->nSaid > mostSaid) c->nSaid = 0;
}

/* What the last word of a key counts, and whether that is of a time of day: no "hours", no "minutes". */
typedef struct {
  uint32_t unit;
  bool isHand;
} key_unit;

/* Letters of the longest unit, in the plural. */
enum { mostUnit = 12 };

/* What a key of so many last bytes counts, by its last word. */
static key_unit unit_of_key(const uint8_t *key, uint32_t bytes) {
  uint32_t at = bytes;
  while (at && key[at - 1] >= 'a' && key[at - 1] <= 'z') at--;
  if (at && key[at - 1] >= 'A' && key[at - 1] <= 'Z') at--;
  uint32_t letters = bytes - at;
  const uint8_t *word = key + at;
  key_unit found = {0, false};
  if (letters > mostUnit || place_of_word(word, letters, " day week month ") >= 0) return found;
  found.unit = unit_of(word, letters);
  found.isHand = place_of_word(word, letters, " hour minute ") >= 0;
  return found;
}

/* Of a whole key. */
static key_unit unit_under(thimble_span key) {
  uint32_t before = key.bytes > mostUnit ? key.bytes - mostUnit - 1 : 0;
  return unit_of_key(key.at + before, key.bytes - before);
}

/* What a number may stand for, and how many of these, the last ones, are parts of what is said. */
typedef struct {
  int64_t values[4];
  uint32_t n, parts;
} meanings;

static void mean(meanings *m, int64_t value, bool isPart) {
  if (value > mostExact || value < -mostExact) return;
  m->values[m->n++] = value;
  m->parts += isPart;
}

/* What the i-th number may stand for under a key. */
static meanings values_under(const call *c, const key_unit *key, uint32_t i) {
  const said *one = &c->said[i];
  uint32_t under = beside(key->unit, one->unit), unit = beside(one->unit, under), size = size_of(under), own = size_of(unit), alike = 0;
  meanings m = {.n = 0};
  if (key->isHand && one->clock == key->unit) mean(&m, one->millionths, false);
  if (one->clock || (key->isHand && one->isTold)) return m;
  /* "An alarm for 9, please" is at nine sharp. */
  if (key->isHand && key->unit == minute_clock && !is_time(unit)) mean(&m, 0, false);
  if (!is_alike(unit, under)) {
    mean(&m, one->millionths, false);
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

bool comes_to(const call *c, thimble_span key, double value) {
  key_unit unit = unit_under(key);
  for (uint32_t i = 0; c->said && i < c->nSaid; i++) {
    meanings m = values_under(c, &unit, i);
    for (uint32_t n = m.n - m.parts; n--;)
      if ((double)m.values[n] / million == value) return true;
  }
  return false;
}

bool counts_other(const call *c, thimble_span key, const said_number *number) {
  uint32_t after, said = counted_by(c->request, c->requestBytes, number, &after), under = beside(unit_under(key).unit, said), unit = beside(said, under);
  return c->said && is_alike(unit, under) && size_of(unit) != size_of(under);
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

/* Notes which of the numbers that are said may stand in the value that is open or comes next, by bits of what each may stand for. */
static void note_fitting(call *c) {
  tail t = {c, {NULL, 0}};
  open_number open;
  bool isThere = find_open(&t, c->textBytes, &open), fitted = false;
  if (!isThere) {
    t.piece = keyEnd;
    isThere = find_open(&t, c->textBytes + keyEnd.bytes, &open);
  }
  for (uint32_t i = 0; i < c->nSaid && isThere; i++) {
    bool isOther = c->said[i].isOther && fitted;
    meanings m = values_under(c, &open.unit, i);
    c->fitting[i] = fitted = 0;
    for (uint32_t n = m.n; n--;) {
      uint8_t text[mostText];
      fitted = fits_here(c, &t, open.start, text, write_decimal(m.values[n], text));
      if (fitted && !isOther) c->fitting[i] |= 1u << n;
    }
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
