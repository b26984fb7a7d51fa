/* Numbers that a text says in digits. Source: runtime/text/numbers.ts. */
#ifndef THIMBLE_DIGITS_H
#define THIMBLE_DIGITS_H

#include "text.h"

static inline bool is_digit(uint8_t byte) {
  return byte >= '0' && byte <= '9';
}

/* Whether a fraction in digits stands at a byte; no day of a month and no "120/80". */
bool fraction_at(thimble_span text, uint32_t at);

/* The end of digits, or of a fraction in digits, that begin at a byte; the byte itself for none. */
uint32_t end_of_digits(thimble_span text, uint32_t from);

/* Digits with commas and a point, in millionths, or `inexact` (numbers.h). */
int64_t value_of_digits(thimble_span text, uint32_t start, uint32_t end);

/* Whether a mark, a space or a letter may cut the digits that begin at a byte: "2,5", "10 000", "4o"; not so of what is a number or a list whoever writes it. */
bool is_cut(thimble_span text, uint32_t at);

#endif
