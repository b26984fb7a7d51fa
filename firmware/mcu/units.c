/* Units that numbers and keys count. Source: runtime/text/units.ts. */
#include "small.h"

#include "units.h"

#include "numbers.h"

/* The first rows of time, mass, volume and length. */
enum { firstMass = 9, firstVolume = 14, firstLength = 18 };

/* Units in the least one of their kind, by their words without an "s" at the end. */
static const struct {
  uint32_t size;
  const char *words;
} units[] = {
  {1, " ms millisecond "},
  {1000, " s sec second "},
  {60000, " min minute "},
  {60000, " m "},
  {3600000, " h hr hour "},
  {86400000, " day "},
  {604800000, " week "},
  {2629746000, " month "},
  {1, " mg milligram "},
  {1000, " g gram "},
  {28350, " oz ounce "},
  {453592, " lb pound "},
  {1000000, " kg kilo kilogram "},
  {1, " ml mil milliliter millilitre "},
  {10, " cl centiliter centilitre "},
  {100, " dl deciliter decilitre "},
  {1000, " l liter litre "},
  {10, " mm millimeter millimetre "},
  {100, " cm centimeter centimetre "},
  {254, " inch inche "},
  {3048, " ft foot feet "},
  {10000, " meter metre "},
  {10000000, " km k kilometer kilometre "},
  {16093440, " mi mile "},
  {10000000, " "},
};

uint32_t unit_of(const uint8_t *word, uint32_t bytes) {
  bytes -= bytes > 2 && (word[bytes - 1] | 32) == 's';
  for (uint32_t i = 0; i < sizeof units / sizeof *units; i++)
    if (place_of_word(word, bytes, units[i].words) >= 0) return i + 1;
  return 0;
}

uint32_t size_of(uint32_t unit) {
  return unit ? units[unit - 1].size : 0;
}

static uint32_t kind_of(uint32_t unit) {
  return (unit >= firstMass) + (unit >= firstVolume) + (unit >= firstLength);
}

uint32_t beside(uint32_t unit, uint32_t other) {
  return unit == unit_minuteOrMeter && other >= firstLength ? unit_meter : unit;
}

bool is_alike(uint32_t unit, uint32_t other) {
  return unit && other && kind_of(unit) == kind_of(other);
}

bool is_time(uint32_t unit) {
  return unit && unit < firstMass;
}
