/* Compact JSON that is known to be whole, as answers are, and the schemas of its values (runtime/grammar/table.ts). */
#ifndef THIMBLE_JSON_H
#define THIMBLE_JSON_H

#include <stdbool.h>
#include <stdint.h>

enum {
  schema_string, schema_number, schema_boolean, schema_enum, schema_array, schema_object, schema_anyOf, schema_default,
  schema_tuple, schema_integer, schema_kinds
};

/* JSON under the reader, which stands at a value. */
typedef struct {
  const uint8_t *at, *end;
} json;

/* The end of the value at a place. */
const uint8_t *json_end(json j);

/* Writes a JSON string's characters, as UTF-8, and returns their bytes; NULL counts them alone. */
uint32_t json_text(const uint8_t *at, const uint8_t *end, uint8_t *to);

/* A decimal as the nearest double: exact for up to 15 digits and powers up to 22, else within a few of its last bits. */
double json_number(const uint8_t *at, const uint8_t *end);

/* A property of an object: its key as JSON, its schema, and whether it is required. */
typedef struct {
  const uint8_t *key, *inner;
  bool isRequired;
} property;
property property_at(const uint8_t *at);

/* The end of a schema of the tables. */
const uint8_t *schema_end(const uint8_t *at);

/* Whether a schema has a value, limits aside (result.c). */
bool has_value(const uint8_t *schema, json j);

/* The schema of a list's item. */
const uint8_t *schema_item(const uint8_t *list, uint32_t place);

#endif
