/* Whether a text asks for the most or the least that there is. Source: runtime/text/extremes.ts. */
#ifndef THIMBLE_EXTREMES_H
#define THIMBLE_EXTREMES_H

#include <stdbool.h>
#include <stdint.h>

enum { asks_most = 1, asks_least = 2 };

/* Bits of what a text asks for. */
uint32_t extremes_in(const uint8_t *text, uint32_t bytes);

/* Whether the number at a place of it says by how much: "up by 5", "10 percent brighter". */
bool is_change(const uint8_t *text, uint32_t bytes, uint32_t start, uint32_t end);

#endif
