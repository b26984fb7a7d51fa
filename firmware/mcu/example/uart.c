/*
 * A main loop for a board: each line that comes over a UART is a request, its calls go back as a line of JSON. The board gives
 * `uart_read` and `uart_write`; pack and tools are in its flash by a header, npx thimble tools read tools.json -o thimble_files.h
 */
#include <string.h>

#include "../thimble.h"
#include "thimble_files.h"

int uart_read(void);              /* the next byte, waiting for it */
void uart_write(const char *bytes, size_t count);

enum { arenaBytes = 64 * 1024, mostLine = 256 };
static uint8_t arena[arenaBytes] __attribute__((aligned(16)));
static thimble_model model;
static const thimble_limits limits = {.requestTokens = 32, .answerTokens = 64, .cacheBits = 8};

static void say(const char *text) {
  uart_write(text, strlen(text));
}

int main(void) {
  const char *error = thimble_open(&model, pack_start, (size_t)(pack_end - pack_start), tools_start,
                                   (size_t)(tools_end - tools_start));
  if (!error && thimble_arena(&model, &limits) > arenaBytes) error = "arena: expected more; raise arenaBytes";
  for (char line[mostLine];;) {
    size_t length = 0;
    for (int byte = uart_read(); byte != '\n'; byte = uart_read())
      if (length++ < mostLine) line[length - 1] = (char)byte;
    thimble_answer answer;
    const char *wrong = error;
    if (!wrong && length > mostLine) wrong = "request: expected at most 256 bytes, got more; shorten it";
    if (!wrong) wrong = thimble_call(&model, &limits, arena, arenaBytes, line, length, &answer);
    if (wrong) {
      say("error: ");
      say(wrong);
    } else
      uart_write(answer.json, answer.jsonBytes);
    say("\n");
  }
}
