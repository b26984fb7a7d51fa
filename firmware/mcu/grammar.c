/* See grammar.h. A state of a value is either of its atoms; what follows the value depends on the properties used. */
#include "grammar.h"

enum { returns = 0xffff, firstUnion = 0x8000, native = 0xffff };
enum { flag_returns = 1, flag_exitReturns = 2, flag_string = 4, flag_between = 8, flag_item = 16 };

static const uint8_t *tool_row(const thimble_model *m, uint32_t tool) {
  return m->parts[part_tools].at + 28 * tool;
}

static const uint8_t *property_row(const thimble_model *m, const state *s, uint32_t i) {
  return m->parts[part_properties].at + 12 * (u32_at(tool_row(m, s->tool) + 16) + i);
}

static uint32_t property_count(const thimble_model *m, const state *s) {
  return u16_at(tool_row(m, s->tool) + 20);
}

static bool is_native(const thimble_model *m, const state *s) {
  return u16_at(tool_row(m, s->tool) + 22) == native;
}

static const uint8_t *atom_row(const thimble_model *m, uint32_t atom) {
  return m->parts[part_atoms].at + 12 * atom;
}

state grammar_start(void) {
  state s;
  memset(&s, 0, sizeof s);
  s.tool = noTool;
  return s;
}

/* The byte at a place of an alternative of what comes after a tool's name; -1 past its end. */
static int key_byte(const thimble_model *m, const state *s, uint32_t which, uint32_t pos) {
  if (which == closing) return pos < 2 ? '}' : -1;
  if (s->used) {
    if (!pos) return ',';
    pos--;
  }
  thimble_span key = text_at(m, property_row(m, s, which));
  return pos < key.bytes ? key.at[pos] : -1;
}

static int name_byte(const thimble_model *m, uint32_t tool, uint32_t pos) {
  thimble_span name = text_at(m, tool_row(m, tool));
  return pos < name.bytes ? name.at[pos] : -1;
}

static bool may_close(const thimble_model *m, const state *s) {
  for (uint32_t i = 0, n = property_count(m, s); i < n; i++)
    if (u16_at(property_row(m, s, i) + 10) && !(s->used >> i & 1)) return false;
  return true;
}

/* Alternatives of a choice in their order: `next_choice` from -1 on gives those that begin as written, -1 past the last. */
static int32_t next_choice(const thimble_model *m, const state *s, int32_t before) {
  if (s->mode == at_names) {
    for (uint32_t tool = (uint32_t)(before + 1); tool < m->nTools; tool++) {
      if (!s->pos) return (int32_t)tool;
      thimble_span a = text_at(m, tool_row(m, tool)), b = text_at(m, tool_row(m, s->which));
      if (a.bytes >= s->pos && !memcmp(a.at, b.at, s->pos)) return (int32_t)tool;
    }
    return -1;
  }
  /* The brace that closes comes first; it is all there is once it has begun. */
  if (before < 0 && (s->pos ? s->which == closing : may_close(m, s))) return closing;
  if (s->pos && s->which == closing) return -1;
  uint32_t comma = s->used != 0;
  for (uint32_t i = before == closing ? 0 : (uint32_t)(before + 1), n = property_count(m, s); i < n; i++) {
    if (s->used >> i & 1) continue;
    if (s->pos <= comma) return (int32_t)i;
    thimble_span a = text_at(m, property_row(m, s, i)), b = text_at(m, property_row(m, s, s->which));
    if (a.bytes >= s->pos - comma && !memcmp(a.at, b.at, s->pos - comma)) return (int32_t)i;
  }
  return -1;
}

static int choice_byte(const thimble_model *m, const state *s, int32_t choice) {
  return s->mode == at_names ? name_byte(m, (uint32_t)choice, s->pos) : key_byte(m, s, (uint32_t)choice, s->pos);
}

/* After the list's bracket or a call: the texts that open a call. */
static const char *opening(const state *s) {
  return s->mode == at_first || (s->mode == at_open && s->which == 0) ? BEFORE_NAME : "," BEFORE_NAME;
}

static void add_atom(state *s, uint32_t atom) {
  for (uint32_t i = 0; i < s->nAtoms; i++)
    if (s->atoms[i] == atom) return;
  /* The tables' compiler refuses what would need more. */
  if (s->nAtoms < mostAtoms) s->atoms[s->nAtoms++] = (uint16_t)atom;
}

/* Notes an item that begins with a target, of several targets the first's. */
static void note_item(state *s, uint32_t flags, const uint8_t *least) {
  if (!(flags & flag_item) || s->item) return;
  s->item = (uint8_t)(1 + (least[2] & (mostLists - 1)));
  s->isFirstItem = least[3] & 1;
  s->leastItems = (uint16_t)u16_at(least);
}

static void add_target(const thimble_model *m, state *s, uint32_t target) {
  if (target == returns || target < firstUnion) {
    add_atom(s, target);
    if (target != returns) note_item(s, atom_row(m, target)[7], atom_row(m, target) + 8);
    return;
  }
  const uint8_t *row = m->parts[part_unions].at + 12 * (target - firstUnion);
  note_item(s, u16_at(row + 6), row + 8);
  for (uint32_t i = 0; i < u16_at(row + 4); i++)
    add_atom(s, u16_at(m->parts[part_members].at + 2 * (u32_at(row) + i)));
}

static void after_call(state *s) {
  *s = grammar_start();
  s->mode = at_more;
}

/* What follows a value. */
static void leave(const thimble_model *m, state *s) {
  if (!is_native(m, s)) {
    after_call(s);
    return;
  }
  s->used |= 1u << s->which;
  s->mode = at_keys;
  s->which = s->pos = 0;
  s->nAtoms = 0;
}

bool settle(const thimble_model *m, state *s) {
  if (s->nAtoms == 1 && s->atoms[0] == returns) leave(m, s);
  return s->mode != at_value || s->nAtoms > 0;
}

static bool enter(const thimble_model *m, state *s, uint32_t target) {
  s->mode = at_value;
  s->nAtoms = s->item = 0;
  add_target(m, s, target);
  return settle(m, s);
}

/* The state once an alternative has been written whole. */
static bool chosen(const thimble_model *m, state *s) {
  if (s->mode == at_names) {
    s->tool = s->which;
    s->mode = at_keys;
    s->which = s->pos = 0;
    s->used = 0;
    return is_native(m, s) || enter(m, s, u16_at(tool_row(m, s->tool) + 22));
  }
  if (s->which == closing) {
    after_call(s);
    return true;
  }
  return enter(m, s, u16_at(property_row(m, s, s->which) + 8));
}

void atom_step(const thimble_model *m, uint32_t atom, uint8_t byte, state *to) {
  if (atom == returns) return;
  const uint8_t *row = atom_row(m, atom), *edges = m->parts[part_edges].at + 4 * u32_at(row);
  for (uint32_t i = 0, n = u16_at(row + 4); i < n; i++, edges += 4) {
    if (byte < edges[0] || byte > edges[1]) continue;
    add_target(m, to, u16_at(edges + 2));
    return;
  }
}

state value_of(const state *s) {
  state next = *s;
  next.nAtoms = next.item = 0;
  return next;
}

static bool may_return(const thimble_model *m, const state *s) {
  for (uint32_t i = 0; i < s->nAtoms; i++)
    if (s->atoms[i] == returns || atom_row(m, s->atoms[i])[7] & flag_returns) return true;
  return false;
}

static bool value_step(const thimble_model *m, state *s, uint8_t byte) {
  state next = value_of(s);
  for (uint32_t i = 0; i < s->nAtoms; i++) atom_step(m, s->atoms[i], byte, &next);
  if (next.nAtoms) {
    *s = next;
    return settle(m, s);
  }
  if (!may_return(m, s)) return false;
  leave(m, s);
  return grammar_step(m, s, byte);
}

bool grammar_step(const thimble_model *m, state *s, uint8_t byte) {
  s->item = 0;
  switch (s->mode) {
    case at_start:
      if (byte != (s->pos ? '[' : ' ')) return false;
      if (++s->pos == 2) {
        s->mode = at_first;
        s->pos = 0;
      }
      return true;
    case at_first:
    case at_more:
      if (byte == ']') {
        s->mode = at_end;
        return true;
      }
      if (!m->nTools || byte != opening(s)[0]) return false;
      s->which = s->mode == at_more;
      s->mode = at_open;
      s->pos = 1;
      return true;
    case at_open:
      if (byte != (uint8_t)opening(s)[s->pos]) return false;
      if (!opening(s)[++s->pos]) {
        s->mode = at_names;
        s->which = s->pos = 0;
      }
      return true;
    case at_names:
    case at_keys:
      for (int32_t choice = next_choice(m, s, -1); choice >= 0; choice = next_choice(m, s, choice)) {
        if (choice_byte(m, s, choice) != byte) continue;
        s->which = (uint16_t)choice;
        s->pos++;
        return choice_byte(m, s, choice) >= 0 || chosen(m, s);
      }
      return false;
    case at_value:
      return value_step(m, s, byte);
    default:
      return false;
  }
}

int grammar_exit(const thimble_model *m, const state *s) {
  switch (s->mode) {
    case at_start:
      return s->pos ? '[' : ' ';
    case at_first:
    case at_more:
      return ']';
    case at_open:
      return opening(s)[s->pos];
    case at_names:
    case at_keys: {
      int32_t choice = next_choice(m, s, -1);
      return choice < 0 ? -1 : choice_byte(m, s, choice);
    }
    case at_value: {
      uint32_t first = s->atoms[0];
      if (first != returns && !(atom_row(m, first)[7] & flag_exitReturns)) return atom_row(m, first)[6];
      state next = *s;
      leave(m, &next);
      return grammar_exit(m, &next);
    }
    default:
      return -1;
  }
}

int grammar_only(const thimble_model *m, const state *s) {
  int only = -1;
  switch (s->mode) {
    case at_first:
    case at_more:
      return m->nTools ? -1 : ']';
    case at_names:
    case at_keys:
      for (int32_t choice = next_choice(m, s, -1); choice >= 0; choice = next_choice(m, s, choice)) {
        int byte = choice_byte(m, s, choice);
        if (only >= 0 && byte != only) return -1;
        only = byte;
      }
      return only;
    case at_value:
      for (uint32_t i = 0; i < s->nAtoms; i++) {
        if (s->atoms[i] == returns) continue;
        const uint8_t *row = atom_row(m, s->atoms[i]), *edges = m->parts[part_edges].at + 4 * u32_at(row);
        for (uint32_t n = u16_at(row + 4); n; n--, edges += 4) {
          if (edges[0] != edges[1] || (only >= 0 && edges[0] != only)) return -1;
          only = edges[0];
        }
      }
      if (may_return(m, s)) {
        state next = *s;
        leave(m, &next);
        int byte = grammar_only(m, &next);
        if (byte < 0 || (only >= 0 && byte != only)) return -1;
        only = byte;
      }
      return only;
    default:
      return grammar_exit(m, s);
  }
}

room atom_room(const thimble_model *m, uint32_t atom) {
  if (atom == returns) return (room){0};
  const uint8_t *row = atom_row(m, atom);
  return (room){(row[7] & flag_string) != 0, (row[7] & flag_between) != 0, u16_at(row + 8), u16_at(row + 10)};
}

bool in_string(const thimble_model *m, const state *s) {
  return s->mode == at_value && s->nAtoms == 1 && atom_room(m, s->atoms[0]).isBetween;
}
