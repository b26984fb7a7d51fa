/* See digits.h. */
#include "small.h"

#include "digits.h"

#include "numbers.h"

static bool is_mark(uint8_t byte) {
  return byte == '.' || byte == ',';
}

static uint8_t byte_at(thimble_span in, uint32_t at) {
  return at < in.bytes ? in.at[at] : 0;
}

bool fraction_at(thimble_span in, uint32_t at) {
  uint8_t before = at ? in.at[at - 1] : 0, after = byte_at(in, at + 3);
  if (byte_at(in, at + 1) != '/' || is_digit(before) || before == '/' || is_mark(before)) return false;
  if (is_digit(after) || after == '/' || (is_mark(after) && is_digit(byte_at(in, at + 4)))) return false;
  for (const char *known = "12131418233438"; *known; known += 2)
    if (in.at[at] == known[0] && byte_at(in, at + 2) == known[1]) return true;
  return false;
}

static uint32_t count_digits(thimble_span in, uint32_t at) {
  uint32_t digits = 0;
  while (is_digit(byte_at(in, at + digits))) digits++;
  return digits;
}

/* Whether three digits alone stand at a byte. */
static bool is_third(thimble_span in, uint32_t at) {
  return count_digits(in, at) == 3 && !(is_mark(byte_at(in, at + 3)) && is_digit(byte_at(in, at + 4)));
}

/* Where the digits begin that end a space before a byte; the byte for none. */
static uint32_t digits_before(thimble_span in, uint32_t at) {
  if (at < 2 || in.at[at - 1] != ' ' || !is_digit(in.at[at - 2])) return at;
  for (at -= 2; at && is_digit(in.at[at - 1]);) at--;
  return at;
}

/* Whether thousands of "10 000" may follow digits that begin at a byte. */
static bool leads_thousands(thimble_span in, uint32_t at) {
  for (;;) {
    uint32_t digits = count_digits(in, at), before = digits_before(in, at);
    if (digits && digits <= 3 && in.at[at] != '0' && !(at && is_mark(in.at[at - 1]))) return true;
    if (digits != 3 || before == at) return false;
    at = before;
  }
}

static bool is_o(uint8_t byte) {
  return small_byte(byte) == 'o';
}

static bool is_wordy(uint8_t byte) {
  return byte >= 0x80 || (small_byte(byte) >= 'a' && small_byte(byte) <= 'z');
}

/* The end of letters that may be meant for digits: o's, an l or an I. */
static uint32_t end_of_taken(thimble_span in, uint32_t at) {
  uint32_t end = at;
  while (is_o(byte_at(in, end))) end++;
  return end + (end == at && (byte_at(in, at) == 'l' || byte_at(in, at) == 'I'));
}

/* Whether what goes on after an o is a word, as in "5oz" and "6o'clock". */
static bool is_worded(thimble_span in, uint32_t at) {
  static const char words[] = "z\0c\0f\0n\0r\0ff\0unce\0unces\0ver\0ut\0ld\0clock\0'clock\0";
  for (const char *word = words; *word; word++) {
    uint32_t end = at;
    for (; *word; word++) end = end && small_byte(byte_at(in, end)) == *word ? end + 1 : 0;
    if (end && (byte_at(in, end) >= 0x80 || !is_wordy(byte_at(in, end)))) return true;
  }
  return false;
}

/* Whether letters that are taken for 0 or 1 stand beside digits: "4o", "l5", "1,ooo". */
static bool is_lettered(thimble_span in, uint32_t at) {
  uint32_t end = end_of_digits(in, at), from = end + (is_mark(byte_at(in, end)) || byte_at(in, end) == ':'), past = end_of_taken(in, from);
  if (past > from && end_of_digits(in, past) > past) return true;
  if (is_o(byte_at(in, from)) && !is_worded(in, past)) return true;
  uint32_t before = at;
  while (before && is_o(in.at[before - 1])) before--;
  if (before == at && at && (in.at[at - 1] == 'l' || in.at[at - 1] == 'I')) before--;
  return before < at && !(before && is_wordy(in.at[before - 1]));
}

bool is_cut(thimble_span in, uint32_t at) {
  if (is_lettered(in, at)) return true;
  uint32_t after = at + count_digits(in, at), left = digits_before(in, at);
  if (byte_at(in, after) == ' ' && is_third(in, after + 1) && leads_thousands(in, at)) return true;
  if (left != at && is_third(in, at) && leads_thousands(in, left)) return true;
  while (at && (is_digit(in.at[at - 1]) || (is_digit(in.at[at]) && is_mark(in.at[at - 1]) && at > 1 && is_digit(in.at[at - 2])))) at--;
  if (at && is_digit(in.at[at]) && in.at[at - 1] == '.') at--;
  uint32_t start = at, first = 0, digits, commas = 0, points = 0;
  bool isGrouped = true, isPaired = true;
  for (;; at++) {
    digits = count_digits(in, at);
    at += digits;
    bool isLast = !is_mark(byte_at(in, at)) || !is_digit(byte_at(in, at + 1));
    if (!commas && !points) {
      first = digits;
      isPaired = digits <= 2;
    } else if (in.at[at - digits - 1] == ',') {
      isGrouped = isGrouped && digits == 3;
      isPaired = isPaired && digits == 2u + isLast;
    }
    if (isLast) break;
    if (in.at[at] == '.') points++;
    else {
      commas++;
      isGrouped = isGrouped && !points;
    }
  }
  if (!commas) return points > 1 || (points && first && first <= 3 && in.at[start] != '0' && digits == 3);
  if (isGrouped && first && first <= 3 && points <= 1) return false;
  return points || commas < 2 || isPaired;
}

uint32_t end_of_digits(thimble_span in, uint32_t from) {
  uint32_t at = from, groups = 0;
  if (fraction_at(in, from)) return from + 3;
  while (is_digit(byte_at(in, at))) at++;
  if (at == from) {
    if (byte_at(in, from) != '.' || (from && is_digit(byte_at(in, from - 1)))) return from;
    while (is_digit(byte_at(in, at + 1))) at++;
    return at == from ? from : at + 1;
  }
  uint32_t whole = at, grouped = at;
  if (at - from <= 3)
    while (byte_at(in, grouped) == ',' && is_digit(byte_at(in, grouped + 1)) && is_digit(byte_at(in, grouped + 2)) &&
           is_digit(byte_at(in, grouped + 3))) {
      grouped += 4;
      groups++;
    }
  /* Groups of three take commas only where all of them do. */
  if (groups && !is_digit(byte_at(in, grouped)) && !(byte_at(in, grouped) == ',' && is_digit(byte_at(in, grouped + 1)))) {
    uint32_t end = grouped;
    if (byte_at(in, end) == '.' && is_digit(byte_at(in, end + 1))) {
      for (end++; is_digit(byte_at(in, end));) end++;
      if (byte_at(in, end) == ',' && is_digit(byte_at(in, end + 1))) end = grouped;
    }
    return end;
  }
  if (byte_at(in, whole) == '.' && is_digit(byte_at(in, whole + 1)))
    for (whole++; is_digit(byte_at(in, whole));) whole++;
  return whole;
}

int64_t value_of_digits(thimble_span in, uint32_t start, uint32_t end) {
  int64_t value = 0;
  uint32_t decimals = 0, zeros = 0;
  bool isPast = false;
  for (uint32_t i = start; i < end; i++) {
    uint8_t byte = in.at[i];
    if (byte == ',') continue;
    if (byte == '.') {
      isPast = true;
      continue;
    }
    if (isPast && byte == '0') {
      zeros++;
      continue;
    }
    for (; zeros; zeros--, decimals++) value = times(value, 10);
    value = plus(times(value, 10), byte - '0');
    decimals += isPast;
    if (decimals > 6 || value == inexact) return inexact;
  }
  for (; decimals < 6; decimals++) value = times(value, 10);
  return value;
}
