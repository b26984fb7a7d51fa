/* The engine where there are files: thimble MODEL TOOLS < requests > answers, a line each. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "thimble.h"

/* A line is kept as far as a request may go and a byte more, by which the engine refuses it. */
enum { mostLine = 65537 };

/* Memory at a multiple of 16, as files and arena are wanted. */
static void *take(size_t bytes) {
  uint8_t *start = bytes > SIZE_MAX - 15 ? NULL : malloc(bytes + 15);
  return start ? start + (0 - (uintptr_t)start) % 16 : NULL;
}

static void *read_file(const char *path, size_t *bytes) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END)) return NULL;
  long length = ftell(file);
  if (length < 0) return NULL;
  rewind(file);
  uint8_t *data = take((size_t)length);
  if (!data) return NULL;
  *bytes = fread(data, 1, (size_t)length, file);
  fclose(file);
  return data;
}

static int fail(const char *error) {
  fprintf(stderr, "thimble: %s\n", error);
  return 1;
}

/* The next line of standard input without its end; false past the last. */
static bool next_line(char *line, size_t *length) {
  int byte;
  for (*length = 0; (byte = getchar()) != '\n' && byte != EOF;)
    if (*length < mostLine) line[(*length)++] = (char)byte;
  return byte != EOF || *length;
}

/* As long as the program runs. */
static void *pack, *tools, *arena;

int main(int count, char **words) {
  if (count < 3) return fail("expected MODEL TOOLS [REQUEST TOKENS] [ANSWER TOKENS] [CACHE BITS] [ARENA BYTES]; give both files") + 1;
  size_t packBytes = 0, toolsBytes = 0;
  pack = read_file(words[1], &packBytes);
  tools = read_file(words[2], &toolsBytes);
  if (!pack || !tools) return fail("expected files that can be read; check their paths");
  thimble_model model;
  const char *error = thimble_open(&model, pack, packBytes, tools, toolsBytes);
  if (!error) error = thimble_check(&model);
  if (error) return fail(error);
  thimble_limits limits = {64, 128, 16};
  if (count > 3) limits.requestTokens = (uint16_t)atoi(words[3]);
  if (count > 4) limits.answerTokens = (uint16_t)atoi(words[4]);
  if (count > 5) limits.cacheBits = (uint8_t)atoi(words[5]);
  size_t needed = thimble_arena(&model, &limits), bytes = thimble_arena_most(&model, &limits);
  if (count > 6) bytes = (size_t)atol(words[6]);
  if (bytes < needed) bytes = needed;
  arena = take(bytes);
  if (!needed || !arena) return fail("expected limits within 128 tokens, got others; give fewer");
  static char line[mostLine];
  size_t length;
  int failed = 0;
  while (next_line(line, &length)) {
    thimble_answer answer;
    error = thimble_call(&model, &limits, arena, bytes, line, length, &answer);
    if (error) {
      failed = fail(error);
      printf("!\n");
      continue;
    }
    printf("{\"calls\":%.*s,\"tokens\":[", (int)answer.jsonBytes, answer.json);
    for (uint32_t i = 0; i < answer.nTokens; i++) printf(i ? ",%d" : "%d", answer.tokens[i]);
    printf("],\"msgpack\":\"");
    for (uint32_t i = 0; i < answer.callsBytes; i++) printf("%02x", answer.calls[i]);
    printf("\",\"cutShort\":%s,\"rows\":%u,\"decisions\":%u,", answer.cutShort ? "true" : "false", (unsigned)answer.requestTokens, (unsigned)answer.decisions);
    static const char *const names[] = {"ask", "confirm", "act", "none"};
    printf("\"decision\":\"%s\",\"sure\":[", names[answer.decision]);
    for (uint32_t i = 0; i < answer.nCalls; i++) {
      const thimble_sureness *s = &answer.sure[i];
      printf("%s{\"decision\":\"%s\",\"confidence\":%.6f,\"ungrounded\":%d,\"runnerUp\":%d,", i ? "," : "", names[s->decision],
             s->confidence, s->ungrounded, s->runnerUp == thimble_noTool ? -1 : s->runnerUp);
      printf("\"logProbs\":[%.6f,%.6f],", s->nameLogProb, s->callLogProb);
      /* JSON has no infinity. */
      printf("\"margins\":[%.6f,%.6f]}", s->nameMargin < 1e9f ? s->nameMargin : 1e9f, s->callMargin < 1e9f ? s->callMargin : 1e9f);
    }
    printf("]}\n");
    fflush(stdout);
  }
  return failed;
}
