/* Days of the week as a request says them. Source: runtime/text/days.ts, whose cases this is tested by. */
#include "small.h"

#include "call.h"

enum { leastLetters = 3 };

uint32_t day_of(thimble_span word, uint32_t least) {
  static const char days[7][10] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
  word.bytes = stem(word);
  for (uint32_t i = 0; i < noDay && word.bytes >= least; i++)
    if (end_of_part((thimble_span){(const uint8_t *)days[i], (uint32_t)strlen(days[i])}, 0, word)) return i;
  return noDay;
}

thimble_span request_word(const call *c, uint32_t *at, uint32_t *after) {
  bool isThere = next_word(c->request, c->requestBytes, at, after) != 0;
  return (thimble_span){c->request + *at, isThere ? *after - *at : 0};
}

static bool is_in(thimble_span word, const char *list) {
  return word.bytes && place_of_word(word.at, word.bytes, list) >= 0;
}

/* Whether a dash alone stands in a text, with a space or none on either side. */
static bool is_dash(const uint8_t *text, uint32_t bytes) {
  if (bytes && *text == ' ') text++, bytes--;
  if (bytes && text[bytes - 1] == ' ') bytes--;
  if (bytes == 1) return *text == '-';
  return bytes == 3 && text[0] == 0xe2 && text[1] == 0x80 && (text[2] == 0x93 || text[2] == 0x94);
}

/* Bits of the days from one to another. */
static uint32_t days_between(uint32_t from, uint32_t to) {
  uint32_t days = 1u << from;
  for (; from != to; days |= 1u << from) from = (from + 1) % noDay;
  return days;
}

uint32_t group_in(const call *c, bool isTurned) {
  uint32_t single = 0, group = 0;
  bool isDaily = false, isEvery = false, wasEvery;
  for (uint32_t at = 0, after; request_word(c, &at, &after).bytes; at = after) {
    thimble_span word = {c->request + at, after - at};
    uint32_t nextAt = after, nextEnd, thirdAt, thirdEnd, day = day_of(word, leastLetters), to = noDay;
    thimble_span next = request_word(c, &nextAt, &nextEnd), third;
    thirdAt = nextEnd;
    third = request_word(c, &thirdAt, &thirdEnd);
    wasEvery = isEvery;
    isEvery = is_in(word, " every each ");
    bool isDays = is_in(next, " days ") || (wasEvery && is_in(next, " day "));
    if (day < noDay) {
      single |= 1u << day;
      if (is_dash(c->request + after, nextAt - after)) to = day_of(next, leastLetters);
      if (to == noDay && is_in(next, " to thru through til till until ")) to = day_of(third, leastLetters);
      if (to < noDay) group |= days_between(day, to);
    } else if (is_in(word, " weekday weekdays workdays ") || (isDays && is_in(word, " week work working business "))) group |= 31;
    else if (is_in(word, " weekend weekends ")) group |= 96;
    else if ((is_in(word, " daily ") && (isTurned || !next.bytes || is_in(next, " at "))) || (isEvery && is_in(next, " day ")) ||
             (is_in(word, " all ") && isDays)) isDaily = true;
  }
  if (isDaily) return (single || group) && !isTurned ? 0 : 127;
  return group ? group | single : 0;
}
