/*
 * Calls that an answer makes again: an identical one is written as often as the request asks for it. Source:
 * runtime/answer/repeat.ts. Numbers count as they are written, not as JavaScript writes them.
 */
#include "small.h"

#include "call.h"
#include "units.h"

thimble_span call_text(const call *c, uint32_t i) {
  /* After the space and the bracket, or after the comma that follows a call. */
  uint32_t start = i ? c->callEnds[i - 1] + 1u : 2u;
  return (thimble_span){c->text + start, c->callEnds[i] - start};
}

static uint32_t small_at(const uint8_t *at, uint32_t *size) {
  return small_letter(point_at(at, size));
}

uint32_t end_of_part(thimble_span text, uint32_t at, thimble_span part) {
  uint32_t i = 0, a, b;
  while (i < part.bytes) {
    if (at >= text.bytes || small_at(text.at + at, &a) != small_at(part.at + i, &b)) return 0;
    at += a;
    i += b;
  }
  return at;
}

static uint32_t point_before(thimble_span text, uint32_t at) {
  uint32_t size;
  do at--;
  while (at && (text.at[at] & 0xc0) == 0x80);
  return point_at(text.at + at, &size);
}

/* How often a text holds another as whole words. */
static uint32_t occurrences(thimble_span text, thimble_span part) {
  uint32_t count = 0, size;
  if (!part.bytes) return 0;
  bool startsWord = is_of_word(point_at(part.at, &size)), endsWord = is_of_word(point_before(part, part.bytes));
  for (uint32_t at = 0; at < text.bytes;) {
    uint32_t end = end_of_part(text, at, part);
    if (!end) {
      point_at(text.at + at, &size);
      at += size;
      continue;
    }
    bool joinedBefore = startsWord && at && is_of_word(point_before(text, at));
    bool joinedAfter = endsWord && end < text.bytes && is_of_word(point_at(text.at + end, &size));
    count += !joinedBefore && !joinedAfter;
    at = end;
  }
  return count;
}

/* The next string or number among a call's values, without its quotes; keys are passed over. False past the last. */
static bool next_value(thimble_span text, uint32_t *at, thimble_span *value) {
  while (*at < text.bytes) {
    uint8_t byte = text.at[*at];
    uint32_t start = *at;
    if (byte == '"') {
      for (++*at; *at < text.bytes && text.at[*at] != '"'; ++*at)
        if (text.at[*at] == '\\') ++*at;
      *value = (thimble_span){text.at + start + 1, *at - start - 1};
      ++*at;
      if (*at < text.bytes && text.at[*at] == ':') continue;
      return true;
    }
    if (byte == '-' || (byte >= '0' && byte <= '9')) {
      while (*at < text.bytes && strchr("+-.eE0123456789", text.at[*at])) ++*at;
      *value = (thimble_span){text.at + start, *at - start};
      return true;
    }
    ++*at;
  }
  return false;
}

/* A string's text without JSON's escapes, written over `to`; only those of characters that the request can hold. */
static thimble_span plain_text(thimble_span json, uint8_t *to) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < json.bytes; i++) {
    if (json.at[i] == '\\' && i + 1 < json.bytes) i++;
    to[n++] = json.at[i];
  }
  return (thimble_span){to, n};
}

static bool word_byte(uint8_t byte) {
  return byte == '_' || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z');
}

static bool holds(thimble_span text, thimble_span part) {
  for (uint32_t at = 0; at < text.bytes; at++)
    if ((text.at[at] & 0xc0) != 0x80 && end_of_part(text, at, part)) return true;
  return false;
}

bool is_in_request(const call *c, thimble_span text) {
  return text.bytes && holds((thimble_span){c->request, c->requestBytes}, text);
}

/* Reads the word of ASCII letters, digits and underscores at a place of a request. */
static thimble_span word_at(thimble_span text, uint32_t at) {
  uint32_t end = at;
  while (end < text.bytes && word_byte(small_byte(text.at[end]))) end++;
  return (thimble_span){text.at + at, end - at};
}

static bool is(thimble_span word, const char *other) {
  uint32_t length = (uint32_t)strlen(other);
  return word.bytes == length && end_of_part(word, 0, (thimble_span){(const uint8_t *)other, length});
}

/* Where a call's name begins, after {"name":"; how many nobody asks for by a number are more than. */
enum { nameAt = 9, mostAsked = 12 };

/* What a counting word says: two … six, or digits; 0 for others. */
static uint32_t counted(thimble_span word) {
  static const char *const names[] = {"two", "three", "four", "five", "six"};
  uint32_t value = 0;
  for (uint32_t i = 0; i < 5; i++)
    if (is(word, names[i])) return i + 2;
  for (uint32_t i = 0; i < word.bytes; i++) {
    if (word.at[i] < '0' || word.at[i] > '9') return 0;
    if (value < 100000) value = value * 10 + word.at[i] - '0';
  }
  return value;
}

/* Whether a call's name or a value of it holds a text: keys say nothing, "200 minutes" is one timer. `nameEnd`: after its quote. */
static bool is_thing(thimble_span call, uint32_t nameEnd, thimble_span text) {
  thimble_span value = {call.at + nameAt, nameEnd - 1 - nameAt};
  do
    if (holds(value, text)) return true;
  while (next_value(call, &nameEnd, &value));
  return false;
}

/* How often a number that is none of the call's values asks for it: "two timers", "three times", "twice". */
static uint32_t times_told(thimble_span request, thimble_span call, uint32_t nameEnd) {
  uint32_t most = 1;
  for (uint32_t at = 0; at < request.bytes;) {
    thimble_span word = word_at(request, at);
    if (!word.bytes) {
      at++;
      continue;
    }
    at += word.bytes;
    uint32_t told = is(word, "twice") ? 2 : is(word, "thrice") ? 3 : 0, count = counted(word);
    if (!told && count && count <= mostAsked && at < request.bytes && request.at[at] == ' ') {
      thimble_span noun = word_at(request, at + 1);
      if (noun.bytes > 1 && small_byte(noun.at[noun.bytes - 1]) == 's') {
        at += 1 + noun.bytes;
        noun.bytes--;
        if ((is(noun, "time") || (!unit_of(noun.at, noun.bytes) && is_thing(call, nameEnd, noun))) && !holds(call, word)) told = count;
      }
    }
    if (told > most) most = told;
  }
  return most;
}

static uint32_t times_asked(const call *c, thimble_span text) {
  thimble_span request = {c->request, c->requestBytes}, value;
  uint32_t least = 0, named = 1, at = nameAt, end = nameAt;
  while (end < text.bytes && text.at[end] != '"') end++;
  for (uint32_t start = nameAt, i = nameAt; i <= end; i++) {
    if (i < end && text.at[i] != '_') continue;
    uint32_t times = occurrences(request, (thimble_span){text.at + start, i - start});
    if (times > named) named = times;
    start = i + 1;
  }
  for (at = end + 1; next_value(text, &at, &value);) {
    uint32_t times = occurrences(request, plain_text(value, c->scratch));
    if (times && (!least || times < least)) least = times;
  }
  uint32_t told = times_told(request, text, end + 1), times = least ? least : named;
  return told > times ? told : times;
}

bool is_repeated(const call *c) {
  thimble_span last = call_text(c, c->nCalls - 1);
  uint32_t before = 0;
  for (uint32_t i = 0; i + 1 < c->nCalls; i++) {
    thimble_span other = call_text(c, i);
    before += other.bytes == last.bytes && !memcmp(other.at, last.at, last.bytes);
  }
  return before && before >= times_asked(c, last);
}
