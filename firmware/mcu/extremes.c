/* Whether a text asks for the most or the least that there is, or says by how much. Source: runtime/text/extremes.ts, answer/said.ts. */
#include "small.h"

#include "extremes.h"

#include <string.h>

#include "numbers.h"

/* Before each what it asks for. */
static const char phrases[] =
    "\1max\0\1maximum\0\2minimum\0\1all the way up\0\2all the way down\0\3all the way\0"
    "\1full speed\0\1full volume\0\1top speed\0\1full blast\0\1full brightness\0\1full power\0\1full heat\0"
    "\1full marks\0"
    "\1highest\0\1loudest\0\1brightest\0\1hottest\0\1warmest\0\1strongest\0\1fastest\0"
    "\1as high as\0\1as loud as\0\1as bright as\0\1as hot as\0\1as strong as\0\1as fast as\0"
    "\2lowest\0\2quietest\0\2dimmest\0\2slowest\0\2coolest\0\2coldest\0"
    "\2as low as\0\2as quiet as\0\2as dim as\0\2as slow as\0\2as cold as\0";

/* "A maximum of 10", "as high as 20": a limit of what is said. */
static bool is_limit(const uint8_t *text, uint32_t bytes, uint32_t at) {
  if (at + 1 >= bytes || text[at] != ' ') return false;
  bool isOf = at + 2 < bytes && (text[at + 1] | 32) == 'o' && (text[at + 2] | 32) == 'f' && (at + 3 == bytes || !is_ascii_letter(text[at + 3]));
  return isOf || (text[at + 1] >= '0' && text[at + 1] <= '9');
}

uint32_t extremes_in(const uint8_t *text, uint32_t bytes) {
  uint32_t found = 0;
  for (uint32_t at = 0; at < bytes; at++) {
    if (at && is_ascii_letter(text[at - 1])) continue;
    uint32_t letters = 0;
    while (at + letters < bytes && is_ascii_letter(text[at + letters])) letters++;
    /* What is near, or turned away from, is not reached. */
    if (place_of_word(text + at, letters, " below under not don isn doesn won never without than less from half halfway almost nearly bit ") >= 0) return 0;
    /* Max is a person, but where the text begins. */
    bool isName = at && bytes - at > 2 && !memcmp(text + at, "Max", 3);
    for (const char *one = isName ? phrases + sizeof "\1max" : phrases; *one; one += strlen(one) + 1) {
      const char *with = one + 1;
      uint32_t end = at;
      while (*with && end < bytes && (is_ascii_letter(text[end]) ? text[end] | 32 : text[end]) == *with) end++, with++;
      if (*with || (end < bytes && is_ascii_letter(text[end]))) continue;
      if (!is_limit(text, bytes, end)) found |= (uint8_t)*one;
      break;
    }
  }
  return found;
}

/* "50 percent power", "21 after dinner". */
static const char notCompared[] = " power after over under other ever forever water winter summer dinner supper timer together ";

bool is_change(const uint8_t *text, uint32_t bytes, uint32_t start, uint32_t end) {
  uint32_t at = start, letters = 0;
  while (at > 1 && text[start - 1] == ' ' && letters + 1 < at && is_ascii_letter(text[at - 2 - letters])) letters++;
  if (letters && place_of_word(text + at - 1 - letters, letters, " by up down ") >= 0) return true;
  at = end;
  if (at < bytes && text[at] == '%') at++;
  for (int words = 0; words < 2 && at < bytes && text[at] == ' '; words++) {
    uint32_t from = ++at;
    while (at < bytes && is_ascii_letter(text[at])) at++;
    bool isCompared = at - from > 2 && (text[at - 2] | 32) == 'e' && (text[at - 1] | 32) == 'r';
    if (isCompared && place_of_word(text + from, at - from, notCompared) < 0) return true;
    if (place_of_word(text + from, at - from, " notch notches step steps more less ") >= 0) return true;
    if (at == from || place_of_word(text + from, at - from, " or no ") >= 0) break;
  }
  return false;
}
