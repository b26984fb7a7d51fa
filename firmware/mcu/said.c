/* The numbers that a request says, what they count, and whether it asks for a bound. Source: runtime/answer/said.ts. */
#include "small.h"

#include "said.h"

#include "digits.h"
#include "extremes.h"
#include "timeofday.h"
#include "units.h"

static uint32_t letters_from(const uint8_t *text, uint32_t bytes, uint32_t at) {
  uint32_t size, end = at;
  while (end < bytes && class_of(point_at(text + end, &size)) & class_letter) end += size;
  return end - at;
}

uint32_t before(const uint8_t *text, uint32_t at) {
  do at--;
  while (at && (text[at] & 0xc0) == 0x80);
  return at;
}

uint32_t class_before(const uint8_t *text, uint32_t at) {
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

uint32_t counted_by(const uint8_t *text, uint32_t bytes, const said_number *number, uint32_t *after) {
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
  uint32_t end = at + letters, next = end + (end < bytes && text[end] == '-'), size;
  if (place_of_word(text + at, letters, " k ") < 0) return unit_of(text + at, letters);
  /* "5 K-cups" and "3 K2" count none of it, "6500k" are kelvins. */
  if (next < bytes && is_of_word(point_at(text + next, &size))) return 0;
  if (!number->inWords && number->millionths >= 1000 * (int64_t)million) return 0;
  return at == number->end ? unit_k : unit_of(text + at, letters);
}

/* `ends`: of each number the end of what it counts. */
static void say(call *c, uint32_t *ends, uint32_t end, said one) {
  if (c->nSaid < mostSaid) {
    c->said[c->nSaid] = one;
    ends[c->nSaid] = end;
  }
  c->nSaid++;
}

static uint32_t letters_at(const uint8_t *text, uint32_t bytes, uint32_t at) {
  uint32_t letters = 0;
  while (at + letters < bytes && is_ascii_letter(text[at + letters])) letters++;
  return letters;
}

bool counts_vessels(const uint8_t *text, uint32_t bytes, uint32_t after) {
  static const char vessels[] = " cup mug glas glasse bottle pint spoon tablespoon teaspoon ";
  uint32_t at = after + (after < bytes && (text[after] == ' ' || text[after] == '-'));
  for (int words = 2; words--;) {
    uint32_t letters = letters_at(text, bytes, at), end = at + letters;
    if (place_of_word(text + at, stem((thimble_span){text + at, letters}), vessels) >= 0) return true;
    if (!letters || end == bytes || text[end] != ' ' || place_of_word(text + at, letters, " to in into from for at ") >= 0) return false;
    at = end + 1;
  }
  return false;
}

/* Whether a clause ends at a place: a mark before a space, or a word that joins clauses. */
static bool is_joint(const uint8_t *text, uint32_t bytes, uint32_t at) {
  if (at + 1 < bytes && text[at + 1] == ' ' && memchr(",.;:!?", text[at], 6)) return true;
  uint32_t letters = text[at] == ' ' ? letters_at(text, bytes, at + 1) : 0, end = at + 1 + letters;
  return letters && end < bytes && text[end] == ' ' && place_of_word(text + at + 1, letters, " and then also but ") >= 0;
}

bool goes_on_after(const call *c, uint32_t at) {
  while (at < c->requestBytes && !is_joint(c->request, c->requestBytes, at)) at++;
  return at < c->requestBytes;
}

/* Whether a word of a list stands between two places, but for "less than". */
static bool has_word(const uint8_t *text, uint32_t from, uint32_t to, const char *list) {
  for (uint32_t at = from, letters; at < to; at += letters + 1) {
    letters = letters_at(text, to, at);
    uint32_t end = at + letters, next = end + 1 < to && text[end] == ' ' ? letters_at(text, to, end + 1) : 0;
    if (place_of_word(text + at, letters, list) >= 0 && place_of_word(text + end + 1, next, " than ") < 0) return true;
  }
  return false;
}

/* Whether a clause has, around a number, a word by which it may be less than nothing: "volume down 10", "back ten seconds"; not
   "down to about 10", "back to floor 3", "less than 5", nor what is pushed or given back, or also goes up. */
static bool may_fall(const uint8_t *text, uint32_t bytes, uint32_t start, uint32_t end) {
  static const char falling[] = " down downwards rewind lower less fewer reduce decrease drop cut quieter softer darker darken cooler colder slower "
                                "left missed deduct subtract shorten counterclockwise ago ";
  static const char rising[] = " up raise louder higher brighter increase warmer hotter longer faster ", backing[] = " back backwards off ";
  static const char puts[] = " push put hold set postpone delay tilt recline later give return add pay move bump shift ", aims[] = " to at plus ";
  uint32_t from = start, to = end, late;
  for (uint32_t at = start, words = 2; words && at && text[at - 1] == ' '; words--) {
    uint32_t letters = 0;
    for (at--; letters < at && is_ascii_letter(text[at - 1 - letters]);) letters++;
    at -= letters;
    if (!letters || (at && text[at - 1] != ' ')) break;
    if (place_of_word(text + at, letters, aims) >= 0) return false;
    if (place_of_word(text + at, letters, " about around roughly just ") < 0) break;
  }
  while (from && !is_joint(text, start, from - 1)) from--;
  while (to < bytes && !is_joint(text, bytes, to)) to++;
  if (has_word(text, from, start, rising) || has_word(text, end, to, rising)) return false;
  late = from;
  for (uint32_t at = from, letters; at < start; at += letters + 1) {
    letters = letters_at(text, start, at);
    if (place_of_word(text + at, letters, aims) >= 0) late = at + letters;
  }
  if (has_word(text, late, start, falling) || has_word(text, end, to, falling)) return true;
  if (has_word(text, from, start, puts) || has_word(text, end, to, puts)) return false;
  return has_word(text, late, start, backing) || has_word(text, end, to, backing);
}

/* Whether "10k" are thousands: of money, or of steps. */
static bool is_thousands(const uint8_t *text, uint32_t bytes, uint32_t start) {
  uint32_t size, sign = start ? point_at(text + before(text, start), &size) : 0;
  return sign == '$' || sign == 0xa3 || sign == 0x20ac || has_word(text, 0, bytes, " step steps ");
}

/* "an hour": one of a unit that no number counts. */
static void say_articles(call *c, const said_number *numbers, uint32_t n, uint32_t *ends) {
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
    for (uint32_t i = 0; i < n; i++)
      isPart = isPart || (numbers[i].start < end && (numbers[i].end >= at || units_in(text + numbers[i].end, at - numbers[i].end) <= 4));
    if (unit && !isPart) say(c, ends, end, (said){.millionths = million, .start = (uint16_t)at, .end = (uint16_t)end, .unit = (uint8_t)unit, .mayFall = may_fall(text, bytes, at, end)});
    at = end;
  }
}

/* The number that goes on with one in a smaller unit, "and 5 minutes"; `n` for none. */
static uint32_t next_part(const call *c, const uint32_t *ends, uint32_t n, uint32_t one) {
  uint32_t i = 0;
  for (; i < n; i++) {
    uint32_t from = ends[one], bytes = c->said[i].start - from;
    if (c->said[i].start <= from || !is_alike(c->said[one].unit, c->said[i].unit) || size_of(c->said[one].unit) <= size_of(c->said[i].unit))
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
static void say_compounds(call *c, uint32_t *ends) {
  uint32_t n = c->nSaid < mostSaid ? c->nSaid : mostSaid;
  for (uint32_t head = 0; head < n; head++) {
    int64_t all = 0;
    uint32_t before = 0, last = head;
    while (before < n && next_part(c, ends, n, before) != head) before++;
    if (before < n || next_part(c, ends, n, head) == n) continue;
    for (uint32_t i = head; i < n; i = next_part(c, ends, n, last = i)) {
      int64_t own = times(c->said[i].millionths, size_of(c->said[i].unit));
      all = all == inexact || own == inexact ? inexact : all + own;
    }
    uint32_t size = size_of(c->said[last].unit);
    if (all == inexact || all > mostExact || all % size) continue;
    for (uint32_t i = head; i < n; i = next_part(c, ends, n, i)) c->said[i].isPart = true;
    say(c, ends, ends[head], (said){.millionths = all / size, .start = c->said[head].start, .end = c->said[last].end, .unit = c->said[last].unit, .mayFall = c->said[head].mayFall});
  }
}

/* Whether no noun follows. */
static bool closes_number(const uint8_t *text, uint32_t bytes, uint32_t at) {
  uint32_t next = at + (at < bytes && (text[at] == ' ' || text[at] == '-')), letters = letters_at(text, bytes, next);
  if (!letters && !(next < bytes && text[next] >= 0x80)) return true;
  return letters && text[at] == ' ' && place_of_word(text + next, letters, " over and of for on to in at please with from today ") >= 0;
}

/* "One thirty five", as people say 135, beside 1:35 and 1 and 35; "two twenty packs" and "three fifty gram bars" are two and three. */
static void say_hundreds(call *c, const said_number *numbers, uint32_t n, uint32_t *ends) {
  const uint8_t *text = c->request;
  uint32_t bytes = c->requestBytes, earlier = c->nSaid, after;
  for (uint32_t i = 0; i + 1 < n; i++) {
    const said_number *one = numbers + i, *next = one + 1;
    bool isWhole = one->inWords && next->inWords && one->millionths % million == 0 && next->millionths % million == 0;
    bool fits = one->millionths > 0 && one->millionths < 10 * million && next->millionths > 9 * million && next->millionths < 100 * million;
    if (!isWhole || !fits || next->start != one->end + 1 || text[one->end] != ' ') continue;
    said_number both = {100 * one->millionths + next->millionths, one->start, next->end, true, false};
    uint32_t unit = counted_by(text, bytes, &both, &after), end = both.end;
    if (unit) {
      end += text[end] == ' ' || text[end] == '-';
      uint32_t letters = letters_at(text, bytes, end);
      if (!letters) continue;
      end += letters;
    }
    if (!closes_number(text, bytes, end)) continue;
    say(c, ends, after, (said){.millionths = both.millionths, .start = (uint16_t)both.start, .end = (uint16_t)both.end, .unit = (uint8_t)unit, .inWords = true, .isTold = true, .isPart = true});
  }
  /* None where they are too many. */
  if (c->nSaid > mostSaid) c->nSaid = earlier;
}

static void say_numbers(call *c) {
  said_number numbers[mostNumbers];
  uint32_t ends[mostSaid], end;
  uint32_t n = numbers_in(c->request, c->requestBytes, c->work.starts, c->work.pairs, numbers, mostNumbers);
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
    uint8_t unit = (uint8_t)counted_by(c->request, c->requestBytes, &numbers[i], &end);
    int64_t value = numbers[i].millionths;
    if (unit == unit_k && is_thousands(c->request, c->requestBytes, numbers[i].start)) {
      value = times(value, 1000);
      unit = 0;
    }
    isExact = isExact && value != inexact;
    /* What may be cut is no time of day. */
    if (numbers[i].isCut) numbers[i].millionths = inexact;
    bool isChange = is_change(c->request, c->requestBytes, numbers[i].start, numbers[i].end);
    say(c, ends, end, (said){.millionths = value, .start = (uint16_t)numbers[i].start, .end = (uint16_t)numbers[i].end, .unit = unit, .inWords = numbers[i].inWords && !is_digit(c->request[numbers[i].start]), .isCut = numbers[i].isCut, .isChange = isChange, .mayFall = may_fall(c->request, c->requestBytes, numbers[i].start, numbers[i].end), .isOfVessels = counts_vessels(c->request, c->requestBytes, numbers[i].end)});
  }
  say_articles(c, numbers, kept, ends);
  say_compounds(c, ends);
  told = say_times(c, numbers, kept);
  for (uint32_t i = 0; i < kept && i < mostSaid; i++) c->said[i].isTold = told >> i & 1;
  say_hundreds(c, numbers, kept, ends);
  /* What cannot be counted exactly might be what is meant. */
  if (!isExact || c->nSaid > mostSaid) c->nSaid = 0;
}

void find_figures(call *c) {
  c->nSaid = c->nReached = c->boundsAt = 0;
  say_numbers(c);
  uint32_t asks = extremes_in(c->request, c->requestBytes);
  for (uint8_t bound = asks_most; bound <= asks_least; bound++)
    if (asks & bound) c->said[c->nSaid++] = (said){.millionths = inexact, .bound = bound};
}
