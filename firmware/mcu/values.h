/* The values of enums, and which of them a request says. */
#ifndef THIMBLE_VALUES_H
#define THIMBLE_VALUES_H

#include "call.h"
#include "json.h"

/* A property of the arguments and the values of its enum, of a list of it, of what may be null too; NULL for another schema. */
typedef struct {
  property is;
  const uint8_t *values;
  uint32_t count;
  bool isList;
  bool isSwitch; /* true or false */
} enumerated;

uint32_t property_count(const enums *e);
enumerated enum_at(const enums *e, uint32_t which);

/* The value at a place, and the place of the next. */
thimble_span next_enum(const uint8_t **at);

/* Notes what the request says of each enum of the tool that is open. */
void note_said(const call *c);

/* The first of the values that are left of a list, in its order, as a bit. */
uint64_t first_left(const call *c, uint32_t which, uint64_t left);

#endif
