/* Requests and texts on their way to ids. */
#ifndef THIMBLE_TEXT_H
#define THIMBLE_TEXT_H

#include "files.h"

enum { class_letter = 1, class_mark = 2, class_number = 4, class_capital = 8, class_small = 16, class_spaceless = 32, class_turns = 64 };

uint32_t class_of(uint32_t point);
uint32_t small_letter(uint32_t point);

static inline bool is_of_word(uint32_t point) {
  return (class_of(point) & (class_letter | class_number)) != 0;
}

static inline uint8_t small_byte(uint8_t byte) {
  return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
}

static inline bool is_ascii_letter(uint8_t byte) {
  return (byte | 32) >= 'a' && (byte | 32) <= 'z';
}

/* The character at a place of valid UTF-8, and its bytes. */
uint32_t point_at(const uint8_t *at, uint32_t *bytes);
uint32_t utf8_bytes(uint32_t point);

/* Writes a character; returns its bytes. */
uint32_t write_point(uint32_t point, uint8_t *to);

/* Bytes that a byte begins; 0 for none. */
uint32_t bytes_of_lead(uint8_t lead);

bool is_utf8(const uint8_t *text, uint32_t bytes);

/*
 * A request as typed → as the model reads it (runtime/text/request.ts), with no runs of spaces and none at the ends.
 * Returns its bytes; more than `most` where it does not fit. README.md says which characters stay as typed.
 */
uint32_t read_request(const uint8_t *typed, uint32_t bytes, uint8_t *to, uint32_t most);

/* What tokenizing works in: places of symbols and ids of their pairs, a text's bytes + 1 each. */
typedef struct {
  uint16_t *starts, *pairs;
  uint32_t most;  /* bytes of text */
} token_work;

/*
 * Ids of a text that continues an answer (Tokenizer.tokenizeRaw) into `ids`; returns how many, and goes on counting where they
 * are more than `most`. A text is at most as long as the work's.
 */
uint32_t tokenize(const thimble_model *m, const token_work *work, const uint8_t *text, uint32_t bytes, uint16_t *ids,
                  uint32_t most);

/* Ids of a request, or of any text that stands alone (Tokenizer.tokenize). `form`: room for its bytes and one, where it stands with spaces for ▁. */
uint32_t tokenize_request(const thimble_model *m, const token_work *work, const uint8_t *text, uint32_t bytes,
                          uint8_t *form, uint16_t *ids, uint32_t most);

/* The first place in the order of pieces whose bytes are not before these. */
uint32_t first_from(const thimble_model *m, const uint8_t *bytes, uint32_t length);

#endif
