/* The words of a request, of which strings are made. Source: runtime/answer/copy.ts. */
#include "small.h"

#include "copy.h"
#include "digits.h"
#include "numbers.h"

/* Letters and digits of scripts that put spaces between words. */
static bool in_words(uint32_t classes) {
  return (classes & (class_letter | class_number)) && !(classes & class_spaceless);
}

/* A character as inside a JSON string. */
static uint32_t escape(uint32_t point, const uint8_t *raw, uint32_t size, uint8_t *to) {
  static const char hex[] = "0123456789abcdef";
  const char *found = point == '"' ? "\"" : point == '\\' ? "\\" : point == 8 ? "b" : NULL;
  if (found) {
    to[0] = '\\';
    to[1] = (uint8_t)*found;
    return 2;
  }
  if (point >= 0x20) {
    memcpy(to, raw, size);
    return size;
  }
  memcpy(to, "\\u00", 4);
  to[4] = (uint8_t)hex[point >> 4];
  to[5] = (uint8_t)hex[point & 15];
  return 6;
}

/* Bytes of a request without the mark of one that asks by its form, which is no value's. */
static uint32_t without_mark(const uint8_t *text, uint32_t bytes) {
  uint32_t at = begins_with(text, bytes, " please hey hi ok okay so and "), verb = begins_with(text + at, bytes - at, " can could would will ");
  if (verb && begins_with(text + at + verb, bytes - at - verb, " you i we "))
    while (text[bytes - 1] == ' ' || text[bytes - 1] == '?') bytes--;
  return bytes;
}

/* Whether what is within "3,000", "7:15", "2.5" or "1 1/2" stands at a place; not in "rooms 1,2,3" or a port. */
static bool is_within(const uint8_t *text, uint32_t bytes, uint32_t at) {
  uint32_t digits = 0, size;
  if (!at || !is_digit(text[at - 1])) return false;
  if (text[at] == ' ') {
    uint32_t point = point_at(text + at + 1, &size);
    return fraction_at((thimble_span){text, bytes}, at + 1) || (point >= 0xbc && point <= 0xbe);
  }
  while (digits < 4 && at + 1 + digits < bytes && is_digit(text[at + 1 + digits])) digits++;
  return text[at] == ',' ? digits == 3 : text[at] == ':' ? digits == 1 || digits == 2 : digits && (text[at] == '.' || text[at] == '/');
}

bool read_words(words *w, const uint8_t *request, uint32_t bytes, uint32_t most) {
  uint32_t size, before = 0, n = 0, characters = 0, end = without_mark(request, bytes);
  bool wasWithin = false;
  memset(w->marks, 0, most + 1);
  for (uint32_t at = 0; at < end; at += size, characters++) {
    uint32_t point = point_at(request + at, &size), classes = class_of(point);
    uint8_t inside[6];
    uint32_t length = escape(point, request + at, size, inside);
    if (n + length > most) return false;
    bool isWithin = is_within(request, end, at), isInner = (characters && in_words(before) && in_words(classes)) || isWithin || wasWithin;
    wasWithin = isWithin;
    bool afterSpace = characters && request[at - 1] == ' ';
    if (!isInner && point != ' ') w->marks[n] |= mark_first;
    if (!isInner && classes & (class_letter | class_number)) w->marks[n] |= mark_word;
    if (!isInner && characters && !afterSpace) w->marks[n] |= mark_end;
    memcpy(w->text + n, inside, length);
    for (; length; length--) w->before[n++] = (uint16_t)characters;
    before = classes;
  }
  w->marks[n] |= mark_end;
  w->before[n] = (uint16_t)characters;
  w->bytes = n;
  w->characters = characters;
  w->setWords = (n + 1 + 31) / 32;
  /* One a word, or the twelve of "every month". Source: runtime/answer/repeat.ts. */
  w->mostItems = 1;
  for (uint32_t at = 0; at < bytes; at++) w->mostItems += request[at] == ' ';
  if (w->mostItems < 12) w->mostItems = 12;
  for (uint32_t character = 0, end = 0; character <= characters; character++) {
    while (!(w->marks[end] & mark_end) || w->before[end] < character) end++;
    w->endAfter[character] = (uint16_t)end;
  }
  return true;
}
