/* See json.h. */
#include "small.h"

#include "json.h"

#include "files.h"
#include "text.h"

const uint8_t *json_end(json j) {
  int depth = 0;
  for (const uint8_t *at = j.at; at < j.end; at++) {
    if (*at == '"') {
      for (at++; at < j.end && *at != '"'; at++)
        if (*at == '\\') at++;
      if (!depth) return at + 1;
    } else if (*at == '[' || *at == '{') depth++;
    else if (*at == ']' || *at == '}') {
      if (!depth) return at;
      if (!--depth) return at + 1;
    } else if (*at == ',' && !depth) return at;
  }
  return j.end;
}

static uint32_t hex4(const uint8_t *at) {
  uint32_t value = 0;
  for (int i = 0; i < 4; i++) {
    uint8_t byte = at[i];
    value = value << 4 | (byte <= '9' ? byte - (uint32_t)'0' : (byte | 32u) - 'a' + 10u);
  }
  return value;
}

uint32_t json_text(const uint8_t *at, const uint8_t *end, uint8_t *to) {
  static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
  uint32_t n = 0;
  uint8_t bytes[4];
  while (at < end) {
    uint32_t size = 1;
    bytes[0] = *at++;
    if (bytes[0] == '\\' && at < end) {
      bytes[0] = *at++;
      const char *name = strchr(names, bytes[0]);
      if (name && *name) bytes[0] = (uint8_t)values[name - names];
      else if (bytes[0] == 'u' && end - at >= 4) {
        uint32_t point = hex4(at);
        at += 4;
        bool isPair = point >= 0xd800 && point < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u' &&
                      hex4(at + 2) >= 0xdc00 && hex4(at + 2) < 0xe000;
        if (isPair) {
          point = 0x10000 + ((point - 0xd800) << 10) + (hex4(at + 2) - 0xdc00);
          at += 6;
        } else if (point >= 0xd800 && point < 0xe000) point = 0xfffd;
        size = write_point(point, bytes);
      }
    }
    if (to) memcpy(to + n, bytes, size);
    n += size;
  }
  return n;
}

double json_number(const uint8_t *at, const uint8_t *end) {
  uint64_t digits = 0;
  int32_t power = 0, exponent = 0, sign = 1;
  bool isNegative = at < end && *at == '-', fraction = false;
  for (at += isNegative; at < end && (*at | 32) != 'e'; at++) {
    if (*at == '.') fraction = true;
    else if (digits < 100000000000000000u) {
      digits = digits * 10 + (*at - '0');
      power -= fraction;
    } else power += !fraction;
  }
  if (at < end) {
    at++;
    if (at < end && (*at == '+' || *at == '-')) sign = *at++ == '-' ? -1 : 1;
    for (; at < end && exponent < 1000; at++) exponent = exponent * 10 + (*at - '0');
  }
  double value = (double)digits, ten = 1;
  power += sign * exponent;
  for (int32_t left = power < 0 ? -power : power; left; left--) ten *= 10;
  value = power < 0 ? value / ten : value * ten;
  return isNegative ? -value : value;
}

property property_at(const uint8_t *at) {
  uint32_t length = u16_at(at);
  return (property){at + 2, at + 2 + (length & 0x7fff), length >> 15};
}

const uint8_t *schema_end(const uint8_t *at) {
  uint32_t kind = *at++, count = 1;
  if (kind <= schema_boolean || kind == schema_integer) return at;
  if (kind == schema_default) return schema_end(at + 2 + u16_at(at));
  if (kind != schema_array) {
    count = u16_at(at) + (kind == schema_tuple);
    at += 2;
  }
  for (; count; count--) {
    if (kind == schema_enum) at += 2 + u16_at(at);
    if (kind == schema_object) at = property_at(at).inner;
    if (kind != schema_enum) at = schema_end(at);
  }
  return at;
}

const uint8_t *schema_item(const uint8_t *list, uint32_t place) {
  if (*list == schema_array) return list + 1;
  const uint8_t *at = list + 3;
  for (uint32_t n = u16_at(list + 1); n && place; n--, place--) at = schema_end(at);
  return at;
}
