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

static bool is_clock_at(const text *t, uint32_t at) {
  if (small_at(t, at) != 'o') return false;
  uint32_t size = 0;
  at++;
  if (at < t->bytes && !is_letter(small_at(t, at))) point_at(t->at + at, &size);
  return is_word_at(t, at + size, " clock ");
}

/* The end of " o'clock" at a place, or the place. */
static uint32_t past_clock(const text *t, uint32_t at) {
  if (small_at(t, at) != ' ' || !is_clock_at(t, at + 1)) return at;
  for (at += 2; small_at(t, at) != 'c';) at++;
  return at + word_from(t, at);
}

/* 'a' or 'p' of "am", "p.m." and the like; 0 for none. */
static uint8_t half_at(const text *t, uint32_t at) {
  at = past_clock(t, at);
  at += small_at(t, at) == ' ';
  uint8_t half = small_at(t, at++);
  at += small_at(t, at) == '.';
  at += small_at(t, at) == ' ';
  return (half == 'a' || half == 'p') && small_at(t, at) == 'm' && !is_letter(small_at(t, at + 1)) ? half : 0;
}

/* Past a space and a word of a list, or the place. */
static uint32_t past_word(const text *t, uint32_t at, const char *list) {
  return small_at(t, at) == ' ' && is_word_at(t, at + 1, list) ? at + 1 + word_from(t, at + 1) : at;
}

static const char partsOfDay[] = " morning afternoon evening night tonight ";
enum { morning, afternoon, evening, night, tonight };

static int part_of(const text *t, uint32_t at) {
  return place_of_word(t->at + at, word_from(t, at), partsOfDay);
}

/* The part of the day after a time, "in the evening", "tonight"; -1 for none. */
static int part_at(const text *t, uint32_t at) {
  at = past_word(t, past_clock(t, at), " tomorrow today ");
  uint32_t in = past_word(t, at, " in at this ");
  if (in != at) at = past_word(t, in, " the ");
  return small_at(t, at) == ' ' && at + 1 < t->bytes ? part_of(t, at + 1) : -1;
}

static uint32_t word_start(const text *t, uint32_t end) {
  while (end && is_letter(small_at(t, end - 1))) end--;
  return end;
}

/* The part of the day before a time, "tonight at", "every evening"; -1 for none. */
static int part_before(const text *t, uint32_t at) {
  if (!at || t->at[at - 1] != ' ') return -1;
  uint32_t end = at - 1, start = word_start(t, end);
  if (start && t->at[start - 1] == ' ' && start + word_from(t, start) == end && is_word_at(t, start, " at by around about from until till "))
    end = start - 1;
  end -= end && t->at[end - 1] == ',';
  start = word_start(t, end);
  return start < end && start + word_from(t, start) == end ? part_of(t, start) : -1;
}

/* Half of the day of an hour of a clock of twelve: 'a', 'p', or 0 where nothing at its place tells. */
static uint8_t half_of(const text *t, uint32_t hour, uint32_t start, uint32_t end) {
  enum { firstOfNight = 5 };
  uint8_t half = half_at(t, end);
  if (half) return half;
  int part = part_at(t, end);
  if (part < 0) part = part_before(t, start);
  if (part < 0) return 0;
  if (part < night) return part == morning ? 'a' : 'p';
  return hour >= firstOfNight && hour < noon ? 'p' : 'a';
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
  if (c->nSaid < mostSaid) c->said[c->nSaid] = (said){.millionths = (int64_t)value * million, .clock = (uint8_t)clock, .isOther = isOther};
  c->nSaid++;
}

/* An hour that its part of the day may move, and a minute. */
static void add(call *c, const text *t, uint32_t hour, uint32_t minute, uint32_t start, uint32_t end) {
  uint8_t half = half_of(t, hour, start, end);
  bool isOther = hour < noon ? half == 'p' : hour == noon && half == 'a';
  bool isEither = hour <= noon && !half && find_word(t, 0, " evening afternoon tonight night ") < t->bytes;
  if (isOther || isEither) say(c, (hour + noon) % mostHour, hour_clock, false);
  say(c, hour, hour_clock, isOther);
  say(c, minute, minute_clock, false);
}

/* Minutes past the hour, or less than none before it; 0 for what is no number of minutes. `word`: of joint. */
static int32_t minute_of(const said_number *one, int word) {
  int64_t minute = one->millionths < million ? times(one->millionths, minutesOfHour) : one->millionths;
  if (!is_minute(minute) || (word < 0 && minute % (5 * million))) return 0;
  return word * (int32_t)(minute / million);
}

/* Whether an hour and a later one stand there: "7 and", "5 -". */
static bool is_through(const text *t, uint32_t from, uint32_t to) {
  uint32_t at = past_word(t, from, " to and until till ");
  if (at != from) return at + 1 == to && t->at[at] == ' ';
  at += small_at(t, at) == ' ';
  if (small_at(t, at) == '-') at++;
  else if (at + 3 <= to && !memcmp(t->at + at, "\xe2\x80\x93", 3)) at += 3;
  else return false;
  at += small_at(t, at) == ' ';
  return at == to;
}

uint32_t say_times(call *c, const said_number *numbers, uint32_t n) {
  static const char ats[] = " at by around about until till ";
  text t = {c->request, c->requestBytes};
  uint32_t told = 0;
  for (uint32_t i = 0; i < n; i++) {
    const said_number *one = &numbers[i], *next = i + 1 < n ? one + 1 : NULL;
    int word = next ? joint(&t, one->end, next->start) : 0;
    uint32_t hour = (uint32_t)(one->millionths / million), other = next ? (uint32_t)(next->millionths / million) : 0;
    bool isNext = next && is_hour(next->millionths), isAt = is_word_before(&t, one->start, ats);
    /* "10 to 12" may be two hours, "ten to twelve" and "at 10 to 12" are one. */
    bool isOne = one->inWords || word > 0 || isAt;
    if (word && isOne && isNext && !is_word_before(&t, one->start, " from between ")) {
      int32_t past = minute_of(one, word);
      if (!past) continue;
      if (past < 0) other = (other + 23) % mostHour ? (other + 23) % mostHour : noon;
      add(c, &t, other, (uint32_t)(past + minutesOfHour) % minutesOfHour, one->start, next->end);
      told |= 3u << i++;
    } else if (isNext && one->inWords && one->millionths == million / 2 && next->start == one->end + 1 && t.at[one->end] == ' ') {
      add(c, &t, other, minutesOfHour / 2, one->start, next->end);
      told |= 3u << i++;
    } else if (!is_hour(one->millionths)) continue;
    else if (next && is_pair(&t, one->end, next->start) && is_minute(next->millionths)) {
      add(c, &t, hour, other, one->start, next->end);
      told |= 3u << i++;
    } else if (half_at(&t, one->end) || is_clock_at(&t, one->end + (small_at(&t, one->end) == ' ')) || part_at(&t, one->end) >= 0 ||
               (isAt && is_end(&t, one->end))) {
      add(c, &t, hour, 0, one->start, one->end);
      told |= 1u << i;
    } else if (isNext && is_through(&t, one->end, next->start) && hour < other && other < noon && half_at(&t, next->end)) {
      add(c, &t, hour, 0, one->start, next->end);
      told |= 1u << i;
    }
  }
  for (uint32_t at = 0; (at = find_word(&t, at, " noon midday midnight ")) < t.bytes; at += word_from(&t, at)) {
    uint32_t hour = is_word_at(&t, at, " midnight ") ? 0 : noon, i = 0;
    while (i < n && !joint(&t, numbers[i].end, at)) i++;
    int32_t past = i < n ? minute_of(&numbers[i], joint(&t, numbers[i].end, at)) : 0;
    if (past) told |= 1u << i;
    say(c, past < 0 ? (hour + 23) % mostHour : hour, hour_clock, false);
    say(c, (uint32_t)(past + minutesOfHour) % minutesOfHour, minute_clock, false);
  }
  return told;
}
