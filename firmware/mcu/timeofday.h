/* Times of day that a request says. Source: runtime/text/timeofday.ts. */
#ifndef THIMBLE_TIMEOFDAY_H
#define THIMBLE_TIMEOFDAY_H

#include "call.h"
#include "units.h"

/* Units of the keys that an hour or a minute may stand under. */
enum { minute_clock = unit_minute, hour_clock = unit_hour };

/*
 * Says the hours and minutes of the request's times of day, 18 and 45 of "quarter to seven tonight". `numbers`: at most 32, those
 * of the request. Returns bits of those that tell a time.
 */
uint32_t say_times(call *c, const said_number *numbers, uint32_t n);

#endif
