/* See numbers.h. */
#include "small.h"

#include "numbers.h"

#include "digits.h"

/* A value, and the place of the word after it; `next` 0 for none. */
typedef struct {
  int64_t value;
  uint32_t next;
} reading;

typedef struct {
  thimble_span text;
  uint16_t *starts, *ends;
  uint32_t count;
} reader;

static const reading nothing = {0, 0};

int place_of_word(const uint8_t *word, uint32_t bytes, const char *list) {
  int place = 0;
  for (const char *at = list + 1; *at; place++) {
    uint32_t length = 0, same = 0;
    while (at[length] && at[length] != ' ') length++;
    while (same < length && same < bytes && (word[same] | 32) == at[same] && word[same] < 0x80) same++;
    if (same == length && same == bytes) return place;
    at += length + 1;
  }
  return -1;
}

uint32_t begins_with(const uint8_t *text, uint32_t bytes, const char *list) {
  uint32_t letters = 0;
  while (letters < bytes && text[letters] != ' ' && text[letters] != ',') letters++;
  uint32_t after = letters + (letters < bytes && text[letters] == ',');
  return after < bytes && text[after] == ' ' && place_of_word(text, letters, list) >= 0 ? after + 1 : 0;
}

int64_t times(int64_t millionths, int64_t count) {
  if (millionths == inexact || millionths > mostExact / count || millionths < -mostExact / count) return inexact;
  return millionths * count;
}

int64_t plus(int64_t a, int64_t b) {
  if (a == inexact || b == inexact) return inexact;
  return a + b > mostExact || a + b < -mostExact ? inexact : a + b;
}

static int word_in(const reader *r, uint32_t at, const char *list) {
  return at < r->count ? place_of_word(r->text.at + r->starts[at], (uint32_t)(r->ends[at] - r->starts[at]), list) : -1;
}

static bool is_word(const reader *r, uint32_t at, const char *list) {
  return word_in(r, at, list) >= 0;
}

/* Of a word of three bytes "1/2" alone has such a second. */
static bool is_fraction(const reader *r, uint32_t at) {
  return r->ends[at] > r->starts[at] + 1 && r->text.at[r->starts[at] + 1] == '/';
}

static bool begins_digits(const reader *r, uint32_t at) {
  return at < r->count && (is_digit(r->text.at[r->starts[at]]) || r->text.at[r->starts[at]] == '.') && !is_fraction(r, at);
}

static bool is_letter(const reader *r, uint32_t at, uint32_t *size) {
  return at < r->text.bytes && class_of(point_at(r->text.at + at, size)) & class_letter;
}

/* Finds the words: digits, letters, or a sign of a fraction. */
static void read_tokens(reader *r) {
  for (uint32_t at = 0; at < r->text.bytes;) {
    uint32_t size, end = end_of_digits(r->text, at), point = point_at(r->text.at + at, &size);
    if (end == at && point >= 0xbc && point <= 0xbe) end = at + size;
    else if (end == at)
      while (is_letter(r, end, &size)) end += size;
    if (end > at) {
      r->starts[r->count] = (uint16_t)at;
      r->ends[r->count++] = (uint16_t)end;
    }
    at = end > at ? end : at + size;
  }
}

/* What stands before a word is white space, a hyphen, or where allowed a comma. */
static bool joined(const reader *r, uint32_t at, bool overComma) {
  if (at >= r->count) return false;
  uint32_t from = at ? r->ends[at - 1] : 0, to = r->starts[at], hyphens = 0, spaces = 0;
  if (overComma && to - from > 1 && r->text.at[from] == ',') {
    for (from++; from < to && r->text.at[from] == ' ';) from++;
    if (from == to) return true;
    from = at ? r->ends[at - 1] : 0;
  }
  for (uint32_t i = from; i < to; i++) {
    if (r->text.at[i] == ' ') spaces++;
    else if (r->text.at[i] == '-' && !hyphens) hyphens++;
    else return false;
  }
  return hyphens + spaces > 0;
}

static const char units[] = " zero one two three four five six seven eight nine ";
static const char teens[] = " ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen ";
static const char tens[] = " twenty thirty forty fifty sixty seventy eighty ninety ";
static const char ordinals[] = " first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
                               "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth ";
static const char months[] = " january february march april may june july august september october november december ";

static int64_t scale_at(const reader *r, uint32_t at) {
  static const int64_t scales[] = {12, 100, 1000, 1000000, 1000000000};
  int place = word_in(r, at, " dozen hundred thousand million billion ");
  return place < 0 ? 0 : scales[place];
}

static int64_t joined_scale(const reader *r, uint32_t at) {
  return joined(r, at, false) ? scale_at(r, at) : 0;
}

static reading below_100(const reader *r, uint32_t at) {
  int ten = word_in(r, at, tens), unit = word_in(r, at, units), teen = word_in(r, at, teens);
  if (ten >= 0) {
    int more = joined(r, at + 1, false) ? word_in(r, at + 1, units) : -1;
    int64_t value = 20 + 10 * ten;
    return more > 0 ? (reading){(value + more) * million, at + 2} : (reading){value * million, at + 1};
  }
  if (unit < 0 && teen < 0) return nothing;
  return (reading){(unit >= 0 ? unit : 10 + teen) * (int64_t)million, at + 1};
}

static reading fraction(const reader *r, uint32_t at) {
  if (is_word(r, at, " three ") && is_word(r, at + 1, " quarters ")) return (reading){750000, at + 2};
  uint32_t next = is_word(r, at, " a one ") ? at + 1 : at;
  int place = word_in(r, next, " half quarter ");
  return place < 0 ? nothing : (reading){place ? 250000 : 500000, next + 1};
}

/* ½, ¼, ¾ or 1/2; 0 for another word. */
static int64_t sign_of(const reader *r, uint32_t at) {
  uint32_t size;
  if (at >= r->count) return 0;
  if (is_fraction(r, at)) {
    uint32_t parts = r->text.at[r->starts[at] + 2] - '0', all = (uint32_t)(r->text.at[r->starts[at]] - '0') * million;
    return all % parts ? inexact : all / parts;
  }
  uint32_t point = point_at(r->text.at + r->starts[at], &size);
  return point == 0xbd ? 500000 : point == 0xbc ? 250000 : point == 0xbe ? 750000 : 0;
}

/* Digits in words after "point", one by one or as a number. */
static reading decimals(const reader *r, uint32_t point, int64_t whole) {
  uint8_t digits[24];
  uint32_t next = point + 1, n = 0;
  bool isLong = false;
  for (;;) {
    reading said = is_word(r, next, " oh ") ? (reading){0, next + 1} : below_100(r, next);
    if (!said.next || !joined(r, next, false)) break;
    uint32_t value = (uint32_t)(said.value / million);
    if (n > sizeof digits - 2) isLong = true;
    else {
      if (value > 9) digits[n++] = (uint8_t)('0' + value / 10);
      digits[n++] = (uint8_t)('0' + value % 10);
    }
    next = said.next;
  }
  if (next == point + 1) return nothing;
  int64_t value = 0, part = 100000;
  /* A whole that has decimals of its own makes no number with more. */
  bool isBad = isLong || whole == inexact || whole % million;
  for (uint32_t i = 0; i < n; i++, part /= 10) {
    if (digits[i] != '0' && !part) isBad = true;
    value += part * (digits[i] - '0');
  }
  return (reading){isBad ? inexact : plus(whole, value), next};
}

static reading start_of(const reader *r, uint32_t at) {
  int64_t sign = sign_of(r, at);
  if (sign) return (reading){sign, at + 1};
  uint32_t after = is_word(r, at, " a ") && joined(r, at + 1, false) ? at + 1 : at;
  if (is_word(r, after, " couple ")) {
    bool ofScale = is_word(r, after + 1, " of ") && joined_scale(r, after + 2);
    return (reading){2 * million, ofScale ? after + 2 : after + 1};
  }
  /* One of what is counted next. */
  if (scale_at(r, after)) return (reading){million, after};
  reading part = fraction(r, at);
  if (part.next) {
    uint32_t article = is_word(r, part.next, " of ") ? part.next + 1 : part.next;
    uint32_t scale = is_word(r, article, " a ") ? article + 1 : article;
    return joined_scale(r, scale) ? (reading){part.value, scale} : part;
  }
  if (is_word(r, at, " point ") && !(at && is_word(r, at - 1, " a the this that one what some any ")))
    return decimals(r, at, 0);
  reading whole = begins_digits(r, at)
                      ? (reading){value_of_digits(r->text, r->starts[at], r->ends[at]), at + 1}
                      : below_100(r, at);
  if (!whole.next || !is_word(r, whole.next, " point ")) return whole;
  reading longer = decimals(r, whole.next, whole.value);
  return longer.next ? longer : whole;
}

/* What is added to a number: "and five" after a hundred, "and a half" of what was counted, "½". */
static reading rest_of(const reader *r, uint32_t at, int64_t unit, int64_t least) {
  bool isAnd = is_word(r, at, " and "), goesOn = joined(r, at, unit >= 1000);
  reading small = goesOn && unit >= 100 ? below_100(r, isAnd ? at + 1 : at) : nothing;
  int64_t after = small.next ? scale_at(r, small.next) : 0;
  /* "a hundred and two hundred" are two numbers, and so are "a thousand and two dozen". */
  if (small.next && after != 12 && after != unit && after < least) return small;
  reading part = goesOn && isAnd ? fraction(r, at + 1) : nothing;
  if (part.next) return (reading){times(part.value, unit), part.next};
  int64_t sign = sign_of(r, at);
  uint32_t from = at ? r->ends[at - 1] : 0;
  /* "Five 1/4 pound burgers" are five. */
  if (!sign || (is_fraction(r, at) && !begins_digits(r, at - 1))) return nothing;
  if (r->starts[at] != from + 1 || r->text.at[from] != '-')
    for (uint32_t i = from; i < r->starts[at]; i++)
      if (r->text.at[i] != ' ') return nothing;
  return (reading){sign, at + 1};
}

static reading quantity(const reader *r, uint32_t at) {
  reading start = start_of(r, at);
  bool isScale = scale_at(r, at) && start.next == at;
  if (!start.next && !isScale) return nothing;
  /* `part` is below the least power so far, a thousand or more; `unit` is what the last word counts. */
  int64_t part = start.value, total = 0, unit = 1, least = INT64_MAX;
  uint32_t next = start.next;
  for (;;) {
    int64_t scale = next == at ? scale_at(r, at) : joined_scale(r, next);
    if (scale && part && scale < least && scale != unit) {
      part = times(part, scale);
      unit = scale;
      next++;
      if (scale >= 1000) {
        total = plus(total, part);
        part = 0;
        least = scale;
      }
      continue;
    }
    reading rest = next ? rest_of(r, next, unit, least) : nothing;
    if (!rest.next) return (reading){plus(total, part), next};
    part = plus(part, rest.value);
    unit = 1;
    next = rest.next;
  }
}

/* "wait a second", "half a second", "ten second": the time and no ordinal. */
static bool is_counted(const reader *r, uint32_t at) {
  if (!at || !joined(r, at, false)) return false;
  static const char *const lists[] = {units, teens, tens, " dozen hundred thousand million billion ", " half quarter ",
                                      " a an per each split "};
  for (uint32_t i = 0; i < sizeof lists / sizeof *lists; i++)
    if (is_word(r, at - 1, lists[i])) return true;
  for (uint32_t i = r->starts[at - 1]; i < r->ends[at - 1]; i++)
    if (is_digit(r->text.at[i])) return true;
  return false;
}

static reading ordinal(const reader *r, uint32_t at) {
  int ten = word_in(r, at, tens), place = joined(r, at + 1, false) ? word_in(r, at + 1, ordinals) : -1;
  int unit = place < 0 ? 10 : place == 20 ? 30 : place + 1;
  /* "twenty second" is most often a time: a day only in a date. */
  bool isDate = (at && is_word(r, at - 1, months)) || is_word(r, at + 2, " of ");
  if (ten >= 0 && unit < 10 && (unit != 2 || isDate)) return (reading){(20 + 10 * ten + unit) * (int64_t)million, at + 2};
  place = word_in(r, at, ordinals);
  if (place < 0 || (place == 1 && is_counted(r, at))) return nothing;
  return (reading){(place == 20 ? 30 : place + 1) * (int64_t)million, at + 1};
}

static reading number_at(const reader *r, uint32_t at) {
  static const uint8_t multiples[] = {1, 2, 3, 1, 2, 2};
  if (is_word(r, at, " minus negative ")) {
    reading number = joined(r, at + 1, false) ? quantity(r, at + 1) : nothing;
    if (number.next && number.value != inexact) number.value = -number.value;
    return number;
  }
  reading number = ordinal(r, at);
  if (number.next) return number;
  int multiple = word_in(r, at, " once twice thrice single double pair ");
  return multiple >= 0 ? (reading){multiples[multiple] * (int64_t)million, at + 1} : quantity(r, at);
}

/* With the word that is counted before the fraction: "an hour and a half", "two hours and a quarter". */
static reading counted(const reader *r, uint32_t at, reading number) {
  if (!number.next && is_word(r, at, " a an ")) number = (reading){million, at + 1};
  uint32_t and = number.next + 1;
  if (!number.next || !is_word(r, and, " and ") || !is_word(r, and + 1, " a ")) return nothing;
  reading part = joined(r, and - 1, false) && joined(r, and, false) ? fraction(r, and + 1) : nothing;
  return part.next ? (reading){plus(number.value, part.value), part.next} : nothing;
}

/* Whether a hyphen or a plus before digits is a sign: in "5-10" it is none. */
static bool is_signed(const reader *r, uint32_t at) {
  uint32_t size, before = at - 1;
  if (!at || (r->text.at[at - 1] != '-' && r->text.at[at - 1] != '+')) return false;
  if (!before) return true;
  do before--;
  while (before && (r->text.at[before] & 0xc0) == 0x80);
  return !is_of_word(point_at(r->text.at + before, &size));
}

uint32_t numbers_in(const uint8_t *text, uint32_t bytes, uint16_t *starts, uint16_t *ends, said_number *numbers,
                    uint32_t most) {
  reader r = {{text, bytes}, starts, ends, 0};
  uint32_t n = 0, part = 0;
  read_tokens(&r);
  for (uint32_t at = 0; at < r.count;) {
    reading number = number_at(&r, at), longer = counted(&r, at, number), both[2] = {number, longer};
    bool isDigits = begins_digits(&r, at);
    for (int i = 0; i < 2; i++) {
      if (!both[i].next || (isDigits && both[i].next == at + 1)) continue;
      bool isCut = false;
      for (uint32_t word = at; word < both[i].next; word++) isCut = isCut || (begins_digits(&r, word) && is_cut(r.text, starts[word]));
      if (n < most) numbers[n] = (said_number){both[i].value, starts[at], ends[both[i].next - 1], true, isCut};
      n++;
    }
    /* Digits within a number that takes more words are no number of their own. */
    if (number.next > at + 1) part = number.next;
    uint32_t next = longer.next ? longer.next : number.next ? number.next : at + 1;
    for (; at < next; at++) {
      if (at < part || !begins_digits(&r, at)) continue;
      bool sign = is_signed(&r, starts[at]);
      int64_t value = value_of_digits(r.text, starts[at], ends[at]);
      if (sign && text[starts[at] - 1] == '-' && value != inexact) value = -value;
      if (n < most) numbers[n] = (said_number){value, starts[at] - (uint32_t)sign, ends[at], false, is_cut(r.text, starts[at])};
      n++;
    }
  }
  return n;
}
