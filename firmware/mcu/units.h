/* Units that numbers and keys count, by their rows in units.c; 0 for none. Source: runtime/text/units.ts. */
#ifndef THIMBLE_UNITS_H
#define THIMBLE_UNITS_H

#include "text.h"

enum { unit_second = 2, unit_minute = 3, unit_minuteOrMeter = 4, unit_hour = 5, unit_meter = 22, unit_k = 25 };

/* By its word; 0 for another word, and `unit_k` of "10k" by no word at all. */
uint32_t unit_of(const uint8_t *word, uint32_t bytes);

/* In the least unit of its kind; 0 for none. */
uint32_t size_of(uint32_t unit);

/* A unit beside another: "2 m" are minutes, or metres beside a length; so is a key that ends in "m". */
uint32_t beside(uint32_t unit, uint32_t other);

/* Whether two units are of one kind. */
bool is_alike(uint32_t unit, uint32_t other);

bool is_time(uint32_t unit);

#endif
