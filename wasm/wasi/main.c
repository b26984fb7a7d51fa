/*
 * The command: thimble.wasi.wasm MODEL TOOLS < requests > calls. Each line of standard input is a request, answered by a
 * line: its calls as a JSON list, or "error: " and what is wrong. Exit codes as the CLI's: 0 done, 1 failed, 2 wrong command line.
 * WASI preview 1 without a libc: files are read straight to their place.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "thimble.h"

#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))
typedef struct {
  void *at;
  uint32_t bytes;
} iovec;
WASI(args_sizes_get) int args_sizes_get(uint32_t *count, uint32_t *bytes);
WASI(args_get) int args_get(char **words, char *text);
WASI(fd_prestat_get) int fd_prestat_get(int fd, void *prestat);
WASI(fd_read) int fd_read(int fd, const iovec *parts, uint32_t count, uint32_t *got);
WASI(fd_write) int fd_write(int fd, const iovec *parts, uint32_t count, uint32_t *put);
WASI(fd_close) int fd_close(int fd);
WASI(path_open) int path_open(int folder, uint32_t lookup, const char *path, uint32_t bytes, uint32_t how, uint64_t rights,
                              uint64_t inherited, uint32_t flags, int *fd);
WASI(proc_exit) _Noreturn void proc_exit(int code);

/* A line is kept as far as a request may go and a byte more, by which the engine refuses it. */
enum { page = 65536, mostWords = 8, mostLine = 65537, mostText = 4096, readAtOnce = 1 << 20 };

static void write_all(int fd, const char *text, uint32_t bytes) {
  while (bytes) {
    uint32_t put = 0;
    if (fd_write(fd, &(iovec){(void *)text, bytes}, 1, &put) || !put) proc_exit(1);
    text += put;
    bytes -= put;
  }
}

static void write_text(int fd, const char *text) {
  write_all(fd, text, (uint32_t)strlen(text));
}

static _Noreturn void fail(const char *error, int code) {
  write_text(2, "thimble: ");
  write_text(2, error);
  write_text(2, "\n");
  proc_exit(code);
}

/* Memory past what is taken, grown as needed. */
extern uint8_t __heap_base;
static uint8_t *top;

static void reserve(uint8_t *end) {
  uint32_t pages = ((uint32_t)end + page - 1) / page, have = (uint32_t)__builtin_wasm_memory_size(0);
  if (pages > have && __builtin_wasm_memory_grow(0, pages - have) == (size_t)-1)
    fail("memory: expected room for model, tools and a call, got less; allow more memory", 1);
}

static uint8_t *take(size_t bytes) {
  uint8_t *here = (uint8_t *)(((uint32_t)(top ? top : &__heap_base) + 63) / 64 * 64);
  top = here + bytes;
  reserve(top);
  return here;
}

/* Reads a file whole, where it stays. Folders stand at any of the first descriptors, by the host. */
static uint8_t *read_file(const char *path, size_t *bytes) {
  int fd = -1;
  uint64_t prestat;
  while (*path == '/') path++;
  for (int folder = 3; folder < 16 && fd < 0; folder++)
    if (fd_prestat_get(folder, &prestat) || path_open(folder, 1, path, (uint32_t)strlen(path), 0, 2, 0, 0, &fd)) fd = -1;
  if (fd < 0) return NULL;
  uint8_t *start = take(0);
  uint32_t got = 0;
  for (*bytes = 0;; *bytes += got) {
    reserve(start + *bytes + readAtOnce);
    if (fd_read(fd, &(iovec){start + *bytes, readAtOnce}, 1, &got)) return NULL;
    if (!got) break;
  }
  top = start + *bytes;
  fd_close(fd);
  return start;
}

/* The next line of standard input without its end; false past the last. */
static bool next_line(char *line, uint32_t *length) {
  static char buffer[4096];
  static uint32_t at, held;
  static bool ended;
  for (*length = 0;;) {
    if (at == held) {
      at = held = 0;
      if (!ended && fd_read(0, &(iovec){buffer, sizeof buffer}, 1, &held)) ended = true;
      if (!held) ended = true;
      if (ended) return *length > 0;
    }
    char byte = buffer[at++];
    if (byte == '\n') return true;
    if (*length < mostLine) line[(*length)++] = byte;
  }
}

void _start(void) {
  static char *words[mostWords], text[mostText], line[mostLine];
  uint32_t count = 0, bytes = 0;
  if (args_sizes_get(&count, &bytes) || count > mostWords || bytes > mostText || args_get(words, text) || count != 3)
    fail("expected MODEL TOOLS, two files in a folder that the host opens, got others; requests come from standard input", 2);
  size_t packBytes, toolsBytes;
  uint8_t *pack = read_file(words[1], &packBytes);
  if (!pack) fail("MODEL: expected a file that can be read; check its path and the folders opened", 1);
  uint8_t *tools = read_file(words[2], &toolsBytes);
  if (!tools) fail("TOOLS: expected a file that can be read; check its path and the folders opened", 1);
  thimble_model model;
  const char *error = thimble_open(&model, pack, packBytes, tools, toolsBytes);
  if (!error) error = thimble_check(&model);
  if (error) fail(error, 1);
  thimble_limits limits = {128, 128, 16};
  size_t needed = thimble_arena(&model, &limits);
  if (!needed) fail("model: expected one that fits in memory, got a larger one; use another", 1);
  uint8_t *arena = take(needed);
  int code = 0;
  uint32_t length;
  while (next_line(line, &length)) {
    thimble_answer answer;
    error = thimble_call(&model, &limits, arena, needed, line, length, &answer);
    if (error) {
      write_text(1, "error: ");
      write_text(1, error);
      code = 1;
    } else
      write_all(1, answer.json, answer.jsonBytes);
    write_text(1, "\n");
  }
  proc_exit(code);
}
