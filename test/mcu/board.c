/*
 * The engine on an emulated board: answers the lines that stand at REQUESTS in memory, over semihosting, and says what each took
 * in instructions. QEMU's -icount makes an instruction a nanosecond; SysTick counts by it.
 */
#include <stdio.h>

#include "call.h"
#include "start.h"

/* SysTick counts down from 2²⁴; how many instructions a tick is, a loop of known length says. */
static uint32_t started, loopTicks;
enum { loopTurns = 1 << 20 };
static uint32_t ticks(void) {
  return REG(0xe000e018);
}
static uint64_t since(uint32_t before) {
  return (uint64_t)((before - ticks()) & 0xffffff) * (2 * loopTurns) / loopTicks;
}
static void start(void) {
  REG(0xe000e014) = 0xffffff;
  REG(0xe000e018) = 0;
  REG(0xe000e010) = 5;
  started = ticks();
}
static void measure(void) {
  uint32_t turns = loopTurns;
  start();
  __asm__ volatile("1: subs %0, #1\nbne 1b" : "+r"(turns) : : "cc");
  loopTicks = (started - ticks()) & 0xffffff;
}

/* The stages' instructions, by the linker's --wrap. */
static uint64_t prefill, decode, pick, all;
static uint32_t states;
#define STAGE(count, call) \
  uint32_t before = ticks(); \
  call;                      \
  count += since(before)

void __real_engine_prefill(engine *e, const uint16_t *ids, uint32_t n);
void __wrap_engine_prefill(engine *e, const uint16_t *ids, uint32_t n) {
  STAGE(prefill, __real_engine_prefill(e, ids, n));
}
void __real_engine_decode(engine *e, const uint16_t *ids, uint32_t n, uint32_t pos);
void __wrap_engine_decode(engine *e, const uint16_t *ids, uint32_t n, uint32_t pos) {
  STAGE(decode, __real_engine_decode(e, ids, n, pos));
}
choice __real_engine_pick(engine *e, const uint32_t *allowed, const gain *gain);
choice __wrap_engine_pick(engine *e, const uint32_t *allowed, const gain *gain) {
  choice picked;
  STAGE(pick, picked = __real_engine_pick(e, allowed, gain));
  /* The bits of the state that it was decided from, as laws.c sums them. */
  for (uint32_t i = 0; i < e->m->dModel; i++) states = states * 31 + u32_at((const uint8_t *)&e->hidden[i]);
  return picked;
}

static uint8_t arena[ARENA] __attribute__((aligned(16)));

int main(void) {
  const uint32_t *sizes = (const uint32_t *)SIZES;
  const char *requests = (const char *)REQUESTS;
  thimble_model model;
  const char *error = thimble_open(&model, (const void *)PACK, sizes[0], (const void *)TOOLS, sizes[1]);
  if (error) {
    say(error);
    return 1;
  }
  measure();
  thimble_limits limits = {REQUEST_TOKENS, ANSWER_TOKENS, CACHE_BITS};
  size_t needed = thimble_arena(&model, &limits);
  for (uint32_t at = 0; at < sizes[2];) {
    uint32_t length = 0;
    while (at + length < sizes[2] && requests[at + length] != '\n') length++;
    thimble_answer answer;
    prefill = decode = pick = 0;
    states = 0;
    start();
    error = thimble_call(&model, &limits, arena, sizeof arena, requests + at, length, &answer);
    all = since(started);
    at += length + 1;
    say("{\"calls\":");
    say(error ? "null" : answer.json);
    const char *const names[] = {",\"error\":\"", error ? error : "", "\",\"rows\":"};
    for (int i = 0; i < 3; i++) say(names[i]);
    say_number(answer.requestTokens);
    say(",\"decisions\":");
    say_number(answer.decisions);
    say(",\"tokens\":[");
    for (uint32_t i = 0; i < answer.nTokens; i++) {
      if (i) say(",");
      say_number(answer.tokens[i]);
    }
    say("],\"prefill\":");
    say_number(prefill);
    say(",\"decode\":");
    say_number(decode);
    say(",\"pick\":");
    say_number(pick);
    say(",\"all\":");
    say_number(all);
    say(",\"states\":");
    say_number(states);
    say(",\"arena\":");
    say_number(needed);
    say("}\n");
  }
  return 0;
}
