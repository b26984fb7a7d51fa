/* The numbers that an English text says. Source: runtime/text/numbers.ts, whose cases this is tested by. */
#ifndef THIMBLE_NUMBERS_H
#define THIMBLE_NUMBERS_H

#include "text.h"

/* In millionths: what has more decimals, or more digits than a double, is `inexact`. */
enum { million = 1000000 };
#define inexact INT64_MIN
#define mostExact ((1ll << 53) - 1)

/* A number, and where the text says it: bytes. */
typedef struct {
  int64_t millionths;
  uint32_t start, end;
  bool inWords, isCut; /* of digits that a mark or a space may cut */
} said_number;

/*
 * Finds every number of a text as a model reads it. `starts` and `ends`: room for as many words as the text has bytes.
 * Returns how many there are; goes on counting where they are more than `most`.
 */
uint32_t numbers_in(const uint8_t *text, uint32_t bytes, uint16_t *starts, uint16_t *ends, said_number *numbers,
                    uint32_t most);

/* Times a count, and with another, or `inexact`. */
int64_t times(int64_t millionths, int64_t count);
int64_t plus(int64_t a, int64_t b);

/* Whether a word in any letter case is one of a list with a space before and after each; -1 or its place. */
int place_of_word(const uint8_t *word, uint32_t bytes, const char *list);

/* Bytes of the word that a text begins with, if it is of such a list and a space follows, with a comma between and the space; else 0. */
uint32_t begins_with(const uint8_t *text, uint32_t bytes, const char *list);

#endif
