/* The numbers that a request says. Source: runtime/answer/said.ts. */
#ifndef THIMBLE_SAID_H
#define THIMBLE_SAID_H

#include "call.h"

/* The unit of what a number counts, and where its word ends: "an hour and a half" has it within, "half an hour" after. */
uint32_t counted_by(const uint8_t *text, uint32_t bytes, const said_number *number, uint32_t *after);

/* Whether a number that ends at a place counts vessels: "2 cups", "3 large glasses"; not "200 into cup 2". */
bool counts_vessels(const uint8_t *text, uint32_t bytes, uint32_t end);

/* Whether another clause follows a place. */
bool goes_on_after(const call *c, uint32_t at);

/* Where the character before a place begins, and its classes, 0 at the text's start. */
uint32_t before(const uint8_t *text, uint32_t at);
uint32_t class_before(const uint8_t *text, uint32_t at);

#endif
