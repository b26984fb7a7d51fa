/*
 * A recorded call of the generated kernels, translated by wasm2c (`scalar.c`), again: here over files, replay IMAGE TRACE OUT, or
 * with -DIMAGE=… and -DTRACE=… on an emulated board, where both lie in memory. The trace, u32 each (test/mcu/replay.ts):
 *
 *   1, place, n, n words            what JavaScript wrote since the kernel before
 *   2, kernel, n, n arguments, r    a kernel, and what it returned, 0 for nothing
 *   0, bytes of memory, sum         the end: words w one after the other, sum = (sum ^ w) * 16777619
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scalar.h"

static wasm_rt_memory_t memory;
wasm_rt_memory_t *Z_thimbleZ_memory(struct Z_thimble_instance_t *instance) {
  (void)instance;
  return &memory;
}

/* What wasm2c's code asks of its runtime. */
uint32_t wasm_rt_call_stack_depth;
static void end(const char *text);
void wasm_rt_trap(wasm_rt_trap_t code) {
  (void)code;
  end("trap");
  for (;;) continue;
}
uint32_t wasm_rt_register_func_type(uint32_t params, uint32_t results, ...) {
  return params + results;
}
bool wasm_rt_is_initialized(void) {
  return true;
}
void wasm_rt_init(void) {}

static Z_thimble_instance_t instance = {&memory};

static uint32_t call(uint32_t kernel, const uint32_t *a) {
  uint32_t r = 0;
  switch (kernel) {
#include "kernels.inc"
    default:
      end("kernel");
  }
  return r;
}

/* Goes through a trace; says what came of it. */
static const char *replay(const uint32_t *at) {
  for (uint32_t calls = 0;; calls++) {
    for (; *at == 1; at += 3 + at[2]) memcpy(memory.data + at[1], at + 3, 4 * at[2]);
    if (!*at) break;
    if (call(at[1], at + 3) != at[3 + at[2]]) return "another result";
    at += 4 + at[2];
  }
  uint32_t sum = 0, word;
  if (at[1] != memory.size) return "another size";
  for (uint32_t i = 0; i < memory.size; i += 4) {
    memcpy(&word, memory.data + i, 4);
    sum = (sum ^ word) * 16777619u;
  }
  return sum == at[2] ? "equal" : "another memory";
}

#ifdef IMAGE
#include "start.h"

static void end(const char *text) {
  say(text);
  semihost(0x18, (void *)0x20026);
}

/* newlib's exit and malloc, which wasm2c's headers name, are not reached. */
char end_of_memory[8] __asm__("end");

int main(void) {
  memory = (wasm_rt_memory_t){(uint8_t *)IMAGE, PAGES, PAGES, 65536u * PAGES};
  end(replay((const uint32_t *)TRACE));
  return 0;
}
#else
static void end(const char *text) {
  puts(text);
  exit(1);
}

static void *whole(const char *path, size_t *bytes) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END)) exit(2);
  *bytes = (size_t)ftell(file);
  rewind(file);
  void *data = malloc(*bytes);
  if (!data || fread(data, 1, *bytes, file) != *bytes) exit(2);
  fclose(file);
  return data;
}

int main(int count, char **words) {
  size_t bytes, traceBytes;
  if (count < 4) return 2;
  memory.data = whole(words[1], &bytes);
  memory.size = (uint32_t)bytes;
  memory.pages = memory.max_pages = (uint32_t)(bytes / 65536);
  puts(replay(whole(words[2], &traceBytes)));
  FILE *file = fopen(words[3], "wb");
  if (!file || fwrite(memory.data, 1, bytes, file) != bytes || fclose(file)) return 2;
  return 0;
}
#endif
