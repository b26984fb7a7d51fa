/* Where an answer's text stands in the grammar's tables (runtime/grammar/table.ts), byte by byte. */
#ifndef THIMBLE_GRAMMAR_H
#define THIMBLE_GRAMMAR_H

#include "files.h"

enum { mostAtoms = 16, mostLists = 8, noTool = 0xffff, closing = 0xffff };

typedef enum { at_start, at_first, at_more, at_open, at_names, at_keys, at_value, at_end } mode;

typedef struct {
  uint8_t mode;
  uint8_t nAtoms;    /* in a value: the atoms that it is in */
  uint16_t tool;     /* of the call that is open */
  uint16_t which;    /* of a choice: the first alternative that begins as written; in a value: its property */
  uint16_t pos;      /* of a choice: bytes written of it */
  uint32_t used;     /* properties written */
  /* An item that begins here, of a list that says no maximum: 1 + the list's number, whether the first, the list's minimum. */
  uint8_t item;
  bool isFirstItem;
  uint16_t leastItems;
  uint16_t atoms[mostAtoms];
} state;

/* How many characters a string still takes, where a state is in one. */
typedef struct {
  bool isIn, isBetween;
  uint32_t least, most;
} room;

state grammar_start(void);

/* Goes on with a byte; false where it cannot follow, and the state is then no more. */
bool grammar_step(const thimble_model *m, state *s, uint8_t byte);

/* The byte that leads to a valid end by a short way; -1 at the end. */
int grammar_exit(const thimble_model *m, const state *s);

/* The only byte that can follow, or -1. */
int grammar_only(const thimble_model *m, const state *s);

/* Whether a call has just ended and another may begin. */
static inline bool is_after_call(const state *s) {
  return s->mode == at_more && s->pos == 0;
}

/* Within a string that may go on or end here, of one atom alone: as State.inString in the runtime. */
bool in_string(const thimble_model *m, const state *s);

/* The parts of a value's state: where the string that one is in stands, and one byte on from it alone. */
room atom_room(const thimble_model *m, uint32_t atom);
void atom_step(const thimble_model *m, uint32_t atom, uint8_t byte, state *to);

/* An empty value state of the same call; what `atom_step` added to it is then taken for where the text stands. */
state value_of(const state *s);
bool settle(const thimble_model *m, state *s);

#endif
