/* Days of the week as a request says them. Source: runtime/text/days.ts, whose cases this is tested by. */
#include "small.h"

#include "call.h"

/* Words from one day to another that is said elsewhere. */
enum { leastLetters = 3, apart = 4, leastListed = 3 };

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

static bool is_up_to(thimble_span word) {
  return is_in(word, " to thru through til till until ");
}

/* Bits of the days from one to another. */
static uint32_t days_between(uint32_t from, uint32_t to) {
  uint32_t days = 1u << from;
  for (; from != to; days |= 1u << from) from = (from + 1) % noDay;
  return days;
}

bool is_turn(thimble_span word) {
  return is_in(word, " no not but except without actually sorry mean wait only move change ");
}

/* Bits of the days that a word says, a range of them begun by it, or a group; whether more than the one day. */
static uint32_t days_at(const call *c, thimble_span word, thimble_span next, uint32_t thirdAt, bool isDays, bool *isGroup) {
  uint32_t day = day_of(word, leastLetters), to = noDay, thirdEnd, after = (uint32_t)(word.at + word.bytes - c->request);
  *isGroup = true;
  if (day == noDay) {
    if (is_in(word, " weekday weekdays workdays ") || (isDays && is_in(word, " week work working business "))) return 31;
    return is_in(word, " weekend weekends ") ? 96 : 0;
  }
  if (is_dash(c->request + after, (uint32_t)(next.at - c->request) - after)) to = day_of(next, leastLetters);
  if (to == noDay && is_up_to(next)) to = day_of(request_word(c, &thirdAt, &thirdEnd), leastLetters);
  *isGroup = to < noDay;
  return *isGroup ? days_between(day, to) : 1u << day;
}

static bool is_near(thimble_span word) {
  return word.bytes && !is_in(word, " on the at every each ");
}

static bool joins(thimble_span word) {
  return day_of(word, leastLetters) < noDay || is_in(word, " and plus also or ") || is_up_to(word);
}

/* Whether a word that is no "on" or "the" stands after a place and joins a day before it. */
static bool joins_after(const call *c, uint32_t at) {
  uint32_t after;
  thimble_span word = request_word(c, &at, &after);
  for (; word.bytes && !is_near(word); word = request_word(c, &at, &after)) at = after;
  return joins(word);
}

uint32_t group_in(const call *c) {
  static const char outOf[] = " but not except without excluding minus apart aside other save ";
  uint32_t days = 0, out = 0;
  bool isGroup = false, isDaily = false, isTurned = false, isEvery = false, wasEvery, isMany;
  bool isOut = false, isHeld = false; /* days are taken out; a word that takes one is still without it */
  bool isOnly = false;                /* takes something back where days are said in two places */
  uint32_t places = 0, nextPlace = 0, listed = 0, i = 0;
  thimble_span near = {NULL, 0}, before = near;
  for (uint32_t at = 0, after; request_word(c, &at, &after).bytes; at = after, i++) {
    thimble_span word = {c->request + at, after - at};
    uint32_t nextAt = after, nextEnd;
    thimble_span next = request_word(c, &nextAt, &nextEnd);
    if (is_near(before)) near = before;
    before = word;
    wasEvery = isEvery;
    isEvery = is_in(word, " every each ");
    bool isDays = is_in(next, " days ") || (wasEvery && is_in(next, " day "));
    uint32_t some = days_at(c, word, next, nextEnd, isDays, &isMany);
    if (day_of(word, leastLetters) < noDay) listed++;
    else if (!is_in(word, " and or on the every ")) listed = 0;
    isMany = isMany || listed >= leastListed;
    if (some && isOut) out |= some;
    else if (some) {
      days |= some;
      isGroup = isGroup || isMany;
      /* "It's Sunday, wake me on weekdays", "never on Sunday". */
      isTurned = isTurned || (!isMany && !joins(near) && !joins_after(c, after));
    } else {
      bool isAll = (is_in(word, " daily everyday ") && (!next.bytes || is_in(next, " at ") || is_in(next, outOf))) ||
                   (isDays ? is_in(word, " all ") : isEvery && is_in(next, " day "));
      isDaily = isDaily || isAll;
      isOnly = isOnly || is_in(word, " only ");
      bool goesOut = is_in(word, outOf);
      if (goesOut || !isOut || !(is_in(word, " for on the and or from than at ") || is_up_to(word))) {
        isHeld = isHeld || (is_turn(word) && !is_in(word, " only "));
        isTurned = isTurned || (isHeld && !goesOut);
        isHeld = isHeld && goesOut;
        isOut = goesOut;
      }
      if (!isAll) continue;
    }
    places += i >= nextPlace;
    nextPlace = i + apart;
    isHeld = false;
  }
  if (!isGroup && !isDaily) return 0;
  isTurned = isTurned || isHeld || (isOnly && places > 1);
  if (isDaily && days && !isGroup) return isTurned || out ? unsureDays : 0;
  if (!isGroup) days = allDays;
  return isTurned || out & ~days || out == days ? unsureDays : days & ~out;
}
