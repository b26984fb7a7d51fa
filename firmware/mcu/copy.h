/* The request's words, of which free strings are made, and where an answer stands among them. Source: runtime/answer/copy.ts, rules.ts. */
#ifndef THIMBLE_COPY_H
#define THIMBLE_COPY_H

#include "grammar.h"
#include "text.h"

/* The request as inside a JSON string, and what begins and ends at its bytes. */
typedef struct {
  bool isOn;             /* false where the model copies nothing: all below is then empty */
  uint32_t mostItems;    /* of a list that says no maximum, unless it asks for more; 0 to count none */
  uint32_t bytes, characters;
  uint8_t *text;
  uint8_t *marks;        /* of each byte and the end: mark_first, mark_word, mark_end */
  uint16_t *before;      /* characters before each byte, and before the end */
  uint16_t *endAfter;    /* (characters + 1) the first end that has at least so many characters before it */
  uint32_t setWords;     /* words of 32 bits that a set of places takes: one for each byte and the end */
} words;

enum { mark_first = 1, mark_word = 2, mark_end = 4 };

/* Fills words for a request as read; false where it takes more than `most` bytes of JSON. */
bool read_words(words *w, const uint8_t *request, uint32_t bytes, uint32_t most);

/* A place of an answer; behind it stand its two sets: places where the open string may go on, bytes that values have used. */
typedef struct {
  state state;
  uint16_t at;       /* bytes of the answer before here */
  uint16_t length;   /* of the string that is open, where one is copied */
  uint16_t calls;    /* that have ended */
  uint16_t callEnd;  /* of the last */
  bool isCopying;
  uint8_t counts[mostLists];  /* of lists that say no maximum: items before the one that is open */
} place;

uint32_t place_bytes(const words *w);
void place_start(const words *w, place *p);
void place_copy(const words *w, const place *from, place *to);

/* Goes on with a byte under grammar and copying; false where it cannot follow. */
bool place_step(const thimble_model *m, const words *w, place *p, uint8_t byte);

/* Goes on with a piece under the grammar alone, where none keeps the rule. */
bool place_free(const thimble_model *m, place *p, uint32_t id);

#endif
