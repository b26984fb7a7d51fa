/* Times of day that a request says. Source: runtime/text/timeofday.ts, whose cases this is tested by. */
#include "small.h"

#include "timeofday.h"

enum { noon = 12, mostHour = 24, minutesOfHour = 60 };

typedef struct {
  const uint8_t *at;
  uint32_t bytes;
} text;

static uint8_t small_at(const text *t, uint32_t at) {
  return at < t->bytes ? small_byte(t->at[at]) : 0;
}

static bool is_letter(uint8_t byte) {
  return byte >= 'a' && byte <= 'z';
}

static uint32_t word_from(const text *t, uint32_t at) {
  uint32_t end = at;
  while (is_letter(small_at(t, end))) end++;
  return end - at;
}

/* Whether a word of ASCII letters at a place is in a list. */
static bool is_word_at(const text *t, uint32_t at, const char *list) {
  uint32_t bytes = word_from(t, at);
  return bytes && place_of_word(t->at + at, bytes, list) >= 0;
}

/* Whether the word that a space ends before a place is in a list. */
static bool is_word_before(const text *t, uint32_t at, const char *list) {
  if (!at || t->at[at - 1] != ' ') return false;
  uint32_t start = at - 1;
  while (start && is_letter(small_at(t, start - 1))) start--;
  return start + word_from(t, start) == at - 1 && is_word_at(t, start, list);
}

/* "past" between two numbers: 1; "to": -1; else 0. */
static int joint(const text *t, uint32_t from, uint32_t to) {
  if (from >= to || t->at[from] != ' ') return 0;
  uint32_t at = from + 1;
  if (is_word_at(t, at, " minute minutes ")) at += word_from(t, at) + 1;
  if (at >= to || t->at[at - 1] != ' ' || at + word_from(t, at) + 1 != to || t->at[to - 1] != ' ') return 0;
  return is_word_at(t, at, " past after ") ? 1 : is_word_at(t, at, " to before til till ") ? -1 : 0;
}

/* Whether hour and minute stand side by side: "6:20", "six oh five". */
static bool is_pair(const text *t, uint32_t from, uint32_t to) {
  if (to == from + 1) return t->at[from] == ':' || t->at[from] == ' ';
  return to > from + 2 && t->at[from] == ' ' && from + 1 + word_from(t, from + 1) == to - 1 && t->at[to - 1] == ' ' &&
         is_word_at(t, from + 1, " o oh ");
}

/* 'a' or 'p' of "am", "p.m." and the like; 0 for none. */
static uint8_t half_at(const text *t, uint32_t at) {
  at += small_at(t, at) == ' ';
  uint8_t half = small_at(t, at++);
  at += small_at(t, at) == '.';
  at += small_at(t, at) == ' ';
  return (half == 'a' || half == 'p') && small_at(t, at) == 'm' && !is_letter(small_at(t, at + 1)) ? half : 0;
}

static bool is_clock_at(const text *t, uint32_t at) {
  at += small_at(t, at) == ' ';
  if (small_at(t, at) != 'o') return false;
  uint32_t size = 0;
  at++;
  if (at < t->bytes && !is_letter(small_at(t, at))) point_at(t->at + at, &size);
  return is_word_at(t, at + size, " clock ");
}

/* "in the evening", "at night". */
static bool is_part_at(const text *t, uint32_t at) {
  if (small_at(t, at) != ' ') return false;
  if (is_word_at(t, ++at, " tonight ")) return true;
  if (!is_word_at(t, at, " in at ") || small_at(t, at + 2) != ' ') return false;
  at += 3;
  if (is_word_at(t, at, " the ") && small_at(t, at + 3) == ' ') at += 4;
  return is_word_at(t, at, " morning afternoon evening night ");
}

/* Whether no noun may follow. */
static bool is_end(const text *t, uint32_t at) {
  uint8_t byte = small_at(t, at);
  if (!byte) return true;
  if (memchr(",.;!?", byte, 5)) return small_at(t, at + 1) < '0' || small_at(t, at + 1) > '9';
  return byte == ' ' && is_word_at(t, at + 1, " tomorrow today tonight in on every please and sharp this ");
}

/* The next word of a list from a place on; the text's end for none. */
static uint32_t find_word(const text *t, uint32_t at, const char *list) {
  for (; at < t->bytes; at++)
    if (!(at && is_letter(small_at(t, at - 1))) && is_word_at(t, at, list)) break;
  return at;
}

static bool is_hour(int64_t millionths) {
  return millionths >= 0 && millionths <= (int64_t)mostHour * million && millionths % million == 0;
}

static bool is_minute(int64_t millionths) {
  return millionths >= 0 && millionths < (int64_t)minutesOfHour * million && millionths % million == 0;
}

static void say(call *c, uint32_t value, uint32_t clock, bool isOther) {
  if (c->nSaid < mostSaid) c->said[c->nSaid] = (said){(int64_t)value * million, 0, (uint16_t)clock, false, isOther};
  c->nSaid++;
}

/* What a request says of the halves of the day. */
typedef struct {
  bool isLate, isEarly;
} halves;

/* An hour that its part of the day may move, and a minute. */
static void add(call *c, const text *t, uint32_t hour, uint32_t minute, uint32_t after, const halves *day) {
  uint8_t half = half_at(t, after);
  bool isSecond = hour < noon && (half ? half == 'p' : day->isLate);
  if (hour == noon && !half && day->isLate) say(c, 0, hour_clock, false);
  if (hour == noon && half == 'a') hour = 0;
  if (isSecond) say(c, hour + noon, hour_clock, false);
  say(c, hour, hour_clock, isSecond && (half || !day->isEarly));
  say(c, minute, minute_clock, false);
}

/* Whether "a.m." stands there. */
static bool is_early_at(const text *t, uint32_t at) {
  if (small_at(t, at++) != 'a') return false;
  at += small_at(t, at) == '.';
  return small_at(t, at) == 'm' && !is_letter(small_at(t, at + 1));
}

uint32_t say_times(call *c, const said_number *numbers, uint32_t n) {
  text t = {c->request, c->requestBytes};
  halves day = {find_word(&t, 0, " evening afternoon tonight night ") < t.bytes, find_word(&t, 0, " morning ") < t.bytes};
  for (uint32_t at = 0; at < t.bytes; at++)
    day.isEarly = day.isEarly || (!(at && is_letter(small_at(&t, at - 1))) && is_early_at(&t, at));
  uint32_t told = 0;
  for (uint32_t i = 0; i < n; i++) {
    const said_number *one = &numbers[i], *next = i + 1 < n ? one + 1 : NULL;
    int word = next ? joint(&t, one->end, next->start) : 0;
    if (word && is_hour(next->millionths) && !is_word_before(&t, one->start, " from between ")) {
      int64_t minute = one->millionths < million ? times(one->millionths, minutesOfHour) : one->millionths;
      if (!is_minute(minute) || !minute || (word < 0 && minute % (5 * million))) continue;
      uint32_t hour = (uint32_t)(next->millionths / million), past = (uint32_t)(minute / million);
      if (word < 0) hour = (hour + 23) % mostHour ? (hour + 23) % mostHour : noon;
      add(c, &t, hour, word < 0 ? minutesOfHour - past : past, next->end, &day);
      told |= 3u << i++;
    } else if (!is_hour(one->millionths)) continue;
    else if (next && is_pair(&t, one->end, next->start) && is_minute(next->millionths)) {
      add(c, &t, (uint32_t)(one->millionths / million), (uint32_t)(next->millionths / million), next->end, &day);
      told |= 3u << i++;
    } else if (half_at(&t, one->end) || is_clock_at(&t, one->end) || is_part_at(&t, one->end) ||
               (is_word_before(&t, one->start, " at by around about until till ") && is_end(&t, one->end))) {
      add(c, &t, (uint32_t)(one->millionths / million), 0, one->end, &day);
      told |= 1u << i;
    }
  }
  for (uint32_t at = 0; (at = find_word(&t, at, " noon midday midnight ")) < t.bytes; at += word_from(&t, at)) {
    say(c, is_word_at(&t, at, " midnight ") ? 0 : noon, hour_clock, false);
    say(c, 0, minute_clock, false);
  }
  return told;
}
