/*
 * Changed files and any requests, under sanitizers: a crash or a read outside is a fault. An input is
 *
 *   u8 n, then n · (u8 file: even the pack's head, odd the tools; u24 place; u8 value), then the request
 *
 * Checksums are made to fit, so that what stands behind them is reached. With clang's -fsanitize=fuzzer the files are those of
 * THIMBLE_PACK and THIMBLE_TOOLS; with -DREPLAY the program runs over inputs: fuzz PACK TOOLS INPUT…
 */
#include <stdio.h>
#include <stdlib.h>

#include "files.h"
#include "open.h"

static uint8_t *bases[2], *files[2];
static size_t sizes[2];

static uint8_t *whole(const char *path, size_t *bytes) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END)) exit(2);
  *bytes = (size_t)ftell(file);
  rewind(file);
  uint8_t *data = malloc(*bytes + 1);
  if (!data || fread(data, 1, *bytes, file) != *bytes) exit(2);
  fclose(file);
  return data;
}

static void open_files(const char *pack, const char *tools) {
  bases[0] = whole(pack, &sizes[0]);
  bases[1] = whole(tools, &sizes[1]);
  /* Exactly as long as they are, so that a read past the end is seen. */
  for (int i = 0; i < 2; i++) files[i] = malloc(sizes[i]);
}

static void put(uint8_t *at, uint32_t value) {
  memcpy(at, &value, 4);
}

static void mend(void) {
  uint8_t *pack = files[0], *tools = files[1];
  uint32_t end = padded(24 + u32_at(pack + 12), 64);
  if (end > 24 && end <= sizes[0]) put(pack + 16, xxh32(pack + 24, end - 24));
  uint32_t at = u32_at(tools + 32), bytes = u32_at(tools + 36), count = u32_at(tools + 12);
  if (at <= sizes[1] && bytes <= sizes[1] - at) put(tools + 40, xxh32(tools + at, bytes));
  if (count < 4096 && 48 + 20 * count <= sizes[1]) put(tools + 28, head_sum(tools, 48 + 20 * count));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t *arena;
  size_t at = 1, changes = size ? data[0] % 16 : 0, heads[2];
  for (int i = 0; i < 2; i++) memcpy(files[i], bases[i], sizes[i]);
  heads[0] = padded(24 + u32_at(bases[0] + 12), 64);
  heads[1] = sizes[1];
  for (; changes && at + 5 <= size; changes--, at += 5) {
    int file = data[at] & 1;
    files[file][(data[at + 1] | data[at + 2] << 8 | data[at + 3] << 16) % heads[file]] = data[at + 4];
  }
  mend();
  thimble_model model;
  if (thimble_open(&model, files[0], sizes[0], files[1], sizes[1])) return 0;
  thimble_limits limits = {16, 24, size & 1 ? 8 : 16};
  /* In some of them everything is stored, in others what has no room is computed again. */
  size_t needed = size & 2 ? thimble_arena(&model, &limits) : thimble_arena_most(&model, &limits);
  if (!needed || needed > 1 << 26) return 0;
  arena = malloc(needed);
  thimble_answer answer;
  size_t left = at < size ? size - at : 0;
  thimble_call(&model, &limits, arena, needed, (const char *)data + (at < size ? at : 0), left, &answer);
  free(arena);
  return 0;
}

#ifdef REPLAY
int main(int count, char **words) {
  if (count < 3) return 2;
  open_files(words[1], words[2]);
  for (int i = 3; i < count; i++) {
    size_t size;
    uint8_t *data = whole(words[i], &size);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
  }
  printf("%d inputs\n", count - 3);
  for (int i = 0; i < 2; i++) free(files[i]), free(bases[i]);
  return 0;
}
#else
int LLVMFuzzerInitialize(int *count, char ***words) {
  (void)count;
  (void)words;
  open_files(getenv("THIMBLE_PACK"), getenv("THIMBLE_TOOLS"));
  return 0;
}
#endif
