/* A request as people type it → as the model reads it. Source: runtime/text/request.ts. */
#include "small.h"

#include "text.h"
#include "unicode.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* Seven bits a byte, the lowest first; all but the last have the top bit. */
static uint32_t varint(const uint8_t **at) {
  uint32_t value = 0, shift = 0, byte;
  do {
    byte = *(*at)++;
    value |= (byte & 0x7f) << shift;
    shift += 7;
  } while (byte >> 7);
  return value;
}

uint32_t class_of(uint32_t point) {
  /* Most characters of most requests: the runs take ten times as long. */
  if (point < 0x80) return (point | 32) - 'a' < 26 ? class_letter | (point & 32 ? class_small : class_capital) : point - '0' < 10 ? class_number : 0;
  uint32_t block = 0, more, last;
  while (block + 1 < COUNT(classBlocks) && classBlocks[block + 1][0] <= point) block++;
  const uint8_t *run, *next = classRuns + classBlocks[block][1];
  uint32_t first = classBlocks[block][0];
  for (;; first = last + 1) {
    run = next++;
    more = *run & 15;
    if (more == 15) more += varint(&next);
    last = first + more;
    if (point <= last) break;
  }
  uint32_t classes = classKinds[*run >> 4], isOther = classes & class_turns && (point - first) & 1;
  return (classes & (class_turns - 1)) ^ (isOther ? class_capital | class_small : 0);
}

uint32_t small_letter(uint32_t point) {
  if (point < 0x80) return point >= 'A' && point <= 'Z' ? point + 32 : point;
  uint32_t low = 0, high = COUNT(capitalRuns);
  while (low < high) {
    uint32_t middle = (low + high) / 2, run = capitalRuns[middle].run;
    if ((run >> 8 & 0x1fffff) + (run & 0xff) < point) low = middle + 1;
    else high = middle;
  }
  if (low == COUNT(capitalRuns)) return point;
  uint32_t first = capitalRuns[low].run >> 8 & 0x1fffff, isApart = capitalRuns[low].run >> 31;
  return point < first || ((point - first) & isApart) ? point : point + (uint32_t)capitalRuns[low].distance;
}

uint32_t bytes_of_lead(uint8_t lead) {
  return lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
}

uint32_t point_at(const uint8_t *at, uint32_t *bytes) {
  uint32_t size = bytes_of_lead(*at);
  uint32_t point = size == 1 ? *at : *at & (0x7fu >> size);
  for (uint32_t i = 1; i < size; i++) point = point << 6 | (at[i] & 0x3f);
  *bytes = size;
  return point;
}

uint32_t utf8_bytes(uint32_t point) {
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

uint32_t write_point(uint32_t point, uint8_t *to) {
  static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
  uint32_t size = utf8_bytes(point);
  for (uint32_t i = size; --i; point >>= 6) to[i] = (uint8_t)(0x80 | (point & 0x3f));
  to[0] = (uint8_t)(leads[size] | point);
  return size;
}

/* Source: Unicode, table 3-7, "Well-Formed UTF-8 Byte Sequences". */
bool is_utf8(const uint8_t *text, uint32_t bytes) {
  for (uint32_t at = 0; at < bytes;) {
    uint32_t size = bytes_of_lead(text[at]);
    if (!size || size > bytes - at) return false;
    for (uint32_t i = 1; i < size; i++)
      if ((text[at + i] & 0xc0) != 0x80) return false;
    uint32_t same, point = point_at(text + at, &same);
    if (utf8_bytes(point) != size || (point >= 0xd800 && point < 0xe000) || point > 0x10ffff) return false;
    at += size;
  }
  return true;
}

/* White space as JavaScript's \s has it, and U+0085. */
static bool is_space(uint32_t point) {
  return (point >= 9 && point <= 13) || point == 0x20 || point == 0x85 || point == 0xa0 || point == 0x1680 ||
         (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 || point == 0x202f ||
         point == 0x205f || point == 0x3000 || point == 0xfeff;
}

/* Invisible characters, those that say which way to read among them. */
static bool is_unseen(uint32_t point) {
  return point == 0xad || point == 0x61c || point == 0x200b || point == 0x200e || point == 0x200f ||
         (point >= 0x202a && point <= 0x202e) || (point >= 0x2060 && point <= 0x2069);
}

/* Typographic quotes and dashes and full-width characters as plain ones. */
static uint32_t plain(uint32_t point) {
  static const uint16_t singleQuotes[] = {0x2018, 0x2019, 0x201a, 0x201b, 0x2bc, 0x2032, 0xb4, 0x60};
  static const uint16_t doubleQuotes[] = {0x201c, 0x201d, 0x201e, 0x201f, 0x2033, 0xab, 0xbb};
  for (uint32_t i = 0; i < COUNT(singleQuotes); i++)
    if (point == singleQuotes[i]) return '\'';
  for (uint32_t i = 0; i < COUNT(doubleQuotes); i++)
    if (point == doubleQuotes[i]) return '"';
  if (point >= 0xff01 && point <= 0xff5e) return point - 0xfee0;
  return (point >= 0x2010 && point <= 0x2015) || point == 0x2212 ? '-' : point;
}

/* The letter that another with a mark is; 0 for none. */
static uint32_t composite(uint32_t letter, uint32_t mark) {
  uint32_t before = 0, made = 0;
  for (const uint8_t *at = composites; at < composites + COUNT(composites);) {
    uint32_t place = *at++;
    made += place & 1 ? varint(&at) : 1;
    uint32_t far = varint(&at);
    before += far & 1 ? ~(far >> 1) : far >> 1;
    if (before == letter && marks[place >> 1] == mark) return made;
  }
  return 0;
}

/* What is written, and how much of it; `isFull` once it does not fit. */
typedef struct {
  uint8_t *to;
  uint32_t bytes, most;
  bool isFull;
} writer;

static void put(writer *w, uint32_t point) {
  if (utf8_bytes(point) > w->most - w->bytes) w->isFull = true;
  else w->bytes += write_point(point, w->to + w->bytes);
}

/* A character in NFC: itself, or one or two others, the first of which may again be others. */
static void put_normal(writer *w, uint32_t point) {
  uint32_t at = 0;
  for (uint32_t i = 0; point > 0x7f && i < COUNT(oneRuns); at += oneRuns[i++][1])
    if (point - oneRuns[i][0] < oneRuns[i][1]) {
      put_normal(w, ones[at + point - oneRuns[i][0]]);
      return;
    }
  for (uint32_t i = 0; point > 0x7f && i < COUNT(others); i++)
    if (others[i].from == point) {
      put_normal(w, others[i].first);
      if (others[i].second) put(w, others[i].second);
      return;
    }
  put(w, point);
}

/* A few small letters may stand between capitals: "SET A TIMER FOR 5 min". */
static bool is_shouted(const writer *w) {
  uint32_t capitals = 0, small = 0, size;
  for (uint32_t at = 0; at < w->bytes; at += size) {
    uint32_t classes = class_of(point_at(w->to + at, &size));
    capitals += (classes & class_capital) != 0;
    small += (classes & class_small) != 0;
  }
  return capitals > 1 && 4 * small <= capitals;
}

/* "Turn Off The Lights": capitals that tell no name from another word. */
static bool is_titled(const writer *w) {
  uint32_t words = 0, size;
  bool inWord = false;
  for (uint32_t at = 0; at < w->bytes; at += size) {
    uint32_t point = point_at(w->to + at, &size), classes = class_of(point);
    if (classes & class_letter && !inWord) {
      if (!(classes & class_capital)) return false;
      words++;
    }
    inWord = point == '\'' || classes & (class_letter | class_number);
  }
  return words > 2;
}

/* Small letters need no more bytes than their capitals but for two, U+023A and U+023E, which stay. */
static void lower(writer *w) {
  uint32_t to = 0, size;
  for (uint32_t at = 0; at < w->bytes; at += size) {
    uint32_t point = point_at(w->to + at, &size), small = small_letter(point);
    to += write_point(utf8_bytes(small) <= size ? small : point, w->to + to);
  }
  w->bytes = to;
}

uint32_t read_request(const uint8_t *typed, uint32_t bytes, uint8_t *to, uint32_t most) {
  writer w = {to, 0, most, false};
  for (uint32_t at = 0; at < bytes;) {
    uint32_t size, start = at, point = point_at(typed + at, &size);
    at += size;
    if (is_space(point) || is_unseen(point)) {
      bool isSeen = is_space(point);
      while (at < bytes) {
        point = point_at(typed + at, &size);
        if (!is_space(point) && !is_unseen(point)) break;
        isSeen = isSeen || is_space(point);
        at += size;
      }
      if (isSeen && start && at < bytes) put(&w, ' ');
      continue;
    }
    uint32_t mark = 0;
    if (at < bytes && class_of(point) & class_letter && class_of(mark = point_at(typed + at, &size)) & class_mark) {
      while (at < bytes && class_of(mark = point_at(typed + at, &size)) & class_mark) {
        uint32_t one = composite(point, mark);
        if (!one) break;
        point = one;
        at += size;
      }
      put_normal(&w, point);
      while (at < bytes && class_of(mark = point_at(typed + at, &size)) & class_mark) {
        put_normal(&w, mark);
        at += size;
      }
      continue;
    }
    if (point == 0x2026) for (int i = 0; i < 3; i++) put(&w, '.');
    else if (plain(point) != point) put(&w, plain(point));
    else put_normal(&w, point);
  }
  if (w.isFull) return most + 1;
  if (is_shouted(&w) || is_titled(&w)) lower(&w);
  return w.bytes;
}
