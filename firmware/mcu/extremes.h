/* Whether a text asks for the most or the least that there is. Source: runtime/text/extremes.ts. */
#ifndef THIMBLE_EXTREMES_H
#define THIMBLE_EXTREMES_H

#include <stdint.h>

enum { asks_most = 1, asks_least = 2 };

/* Bits of what a text asks for. */
uint32_t extremes_in(const uint8_t *text, uint32_t bytes);

#endif
