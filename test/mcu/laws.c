/*
 * Parts of the engine for test/mcu.test.ts: laws MODEL TOOLS, then a line of a letter and hex bytes each, answered by a line.
 *   r  a request as typed → as read, in hex
 *   t  a text → its ids
 *   c  the rest of an answer → its ids
 *   n  a text as read → the numbers that it says, in millionths (x where they have more), and bytes and 1 for words
 *   f  a request as read → what its numbers are: millionths, and by which unit, of a clock's hand or not, and whether they tell a time
 *   a  a request → for each decision the normed state's first eight floats, in bits, and the sum of all bits so far; with the limits
 *      given as REQUEST TOKENS, ANSWER TOKENS, CACHE BITS after the files, and ARENA BYTES where they are not the least
 *   s  → the least bytes of an arena, and the most of use
 *   e  a request as read, a zero, an answer's bytes so far → ids that cost something for what it says of enums, with how many prices
 *   g  an answer's bytes → how many the grammar takes, then for each place on the way the only byte and the way out's
 */
#include <stdio.h>
#include <stdlib.h>

#include "call.h"
#include "extremes.h"

enum { most = 1 << 16 };
static uint8_t text[most], read[most], form[most];
static uint16_t starts[most], pairs[most], ids[most];
static char line[2 * most];

static void *whole(const char *path, size_t *bytes) {
  FILE *file = fopen(path, "rb");
  if (!file) exit(2);
  fseek(file, 0, SEEK_END);
  *bytes = (size_t)ftell(file);
  rewind(file);
  uint8_t *data = malloc(*bytes + 1);
  if (fread(data, 1, *bytes, file) != *bytes) exit(2);
  fclose(file);
  return data;
}

static void grammar(const thimble_model *m, uint32_t bytes) {
  state s = grammar_start();
  uint32_t at = 0;
  while (at < bytes) {
    read[at] = (uint8_t)grammar_only(m, &s);
    form[at] = (uint8_t)grammar_exit(m, &s);
    if (!grammar_step(m, &s, text[at])) break;
    at++;
  }
  printf("%u %d", (unsigned)at, s.mode == at_end);
  for (uint32_t i = 0; i < at; i++) printf(" %d %d", read[i], form[i]);
}

static void say_numbers(uint32_t bytes) {
  said_number numbers[64];
  uint32_t n = numbers_in(text, bytes, starts, pairs, numbers, 64);
  for (uint32_t i = 0; i < n && i < 64; i++) {
    if (numbers[i].millionths == inexact) printf("x");
    else printf("%lld", (long long)numbers[i].millionths);
    printf(":%u:%u:%d:%d ", (unsigned)numbers[i].start, (unsigned)numbers[i].end, numbers[i].inWords, numbers[i].isCut);
  }
}

static void say_figures(const thimble_model *m, uint32_t bytes) {
  thimble_limits wide = {128, 128, 16};
  call c;
  uint8_t *arena = calloc(1, thimble_arena(m, &wide));
  if (!arena || !call_plan(&c, m, &wide, 0, arena) || bytes > c.mostRequest) exit(2);
  memcpy(c.request, text, c.requestBytes = bytes);
  find_figures(&c);
  for (uint32_t i = 0; i < c.nSaid; i++) {
    const said *one = &c.said[i];
    if (one->bound) {
      printf(one->bound == asks_most ? "most " : "least ");
      continue;
    }
    printf("%lld:%u:%u:%d:%d:%d:%d ", (long long)one->millionths, (unsigned)one->unit, (unsigned)one->clock, one->isTold, one->isPart, one->isOther, one->mayFall);
  }
  free(arena);
}

static void price_enums(const thimble_model *m, uint32_t bytes) {
  thimble_limits wide = {128, 128, 16};
  call c;
  uint8_t *arena = calloc(1, thimble_arena(m, &wide));
  state s = grammar_start();
  uint32_t request = (uint32_t)strlen((char *)text);
  if (!arena || !call_plan(&c, m, &wide, 0, arena) || request > c.mostRequest || bytes - request - 1 > c.mostText) exit(2);
  memcpy(c.request, text, c.requestBytes = request);
  memcpy(c.text, text + request + 1, c.textBytes = bytes - request - 1);
  for (uint32_t i = 0; i < c.textBytes && grammar_step(m, &s, c.text[i]); i++)
    if (is_after_call(&s)) c.callEnds[c.nCalls++] = (uint16_t)(i + 1);
  bool any = find_enums(&c);
  for (uint32_t id = 0; any && id < m->vocabSize; id++)
    if (enum_prices(&c, id) != 0) printf("%u:%g ", (unsigned)id, enum_prices(&c, id));
  free(arena);
}

/* By the linker's --wrap: what each decision is made from. */
static uint32_t sum;
choice __real_engine_pick(engine *e, const uint32_t *allowed, const gain *gain);
choice __wrap_engine_pick(engine *e, const uint32_t *allowed, const gain *gain) {
  choice picked = __real_engine_pick(e, allowed, gain);
  uint32_t bits;
  for (uint32_t i = 0; i < e->m->dModel; i++) {
    memcpy(&bits, &e->hidden[i], 4);
    if (i < 8) printf("%08x ", (unsigned)bits);
    sum = sum * 31 + bits;
  }
  printf("%08x ", (unsigned)sum);
  return picked;
}

static thimble_limits limits = {64, 128, 16};
static size_t arenaBytes;
static void answer(const thimble_model *m, uint32_t bytes) {
  size_t needed = arenaBytes ? arenaBytes : thimble_arena(m, &limits);
  void *arena = malloc(needed);
  sum = 0;
  thimble_answer got;
  if (!arena || thimble_call(m, &limits, arena, needed, (const char *)text, bytes, &got)) printf("!");
  free(arena);
}

int main(int count, char **words) {
  size_t packBytes, toolsBytes;
  thimble_model model;
  if (count < 3) return 2;
  void *pack = whole(words[1], &packBytes), *tools = whole(words[2], &toolsBytes);
  const char *error = thimble_open(&model, pack, packBytes, tools, toolsBytes);
  if (error) {
    fprintf(stderr, "%s\n", error);
    return 1;
  }
  if (count > 5) limits = (thimble_limits){(uint16_t)atoi(words[3]), (uint16_t)atoi(words[4]), (uint8_t)atoi(words[5])};
  if (count > 6) arenaBytes = (size_t)atol(words[6]);
  token_work work = {starts, pairs, most - 1};
  while (fgets(line, sizeof line, stdin)) {
    uint32_t bytes = 0, n;
    unsigned value;
    for (const char *at = line + 2; sscanf(at, "%2x", &value) == 1; at += 2) text[bytes++] = (uint8_t)value;
    switch (line[0]) {
      case 'r':
        n = is_utf8(text, bytes) ? read_request(text, bytes, read, most) : 0;
        for (uint32_t i = 0; i < n; i++) printf("%02x", read[i]);
        break;
      case 't':
        n = tokenize_request(&model, &work, text, bytes, form, ids, most);
        for (uint32_t i = 0; i < n; i++) printf("%u ", ids[i]);
        break;
      case 'c':
        n = tokenize(&model, &work, text, bytes, ids, most);
        for (uint32_t i = 0; i < n; i++) printf("%u ", ids[i]);
        break;
      case 'n':
        say_numbers(bytes);
        break;
      case 'f':
        say_figures(&model, bytes);
        break;
      case 'a':
        answer(&model, bytes);
        break;
      case 'e':
        price_enums(&model, bytes);
        break;
      case 's':
        printf("%u %u", (unsigned)thimble_arena(&model, &limits), (unsigned)thimble_arena_most(&model, &limits));
        break;
      default:
        grammar(&model, bytes);
    }
    printf("\n");
  }
  free(pack);
  free(tools);
  return 0;
}
