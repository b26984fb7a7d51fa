/*
 * A main loop for a board: each line that comes over a UART is a request, its calls go back as a line of JSON. The board gives
 * `uart_read`, `uart_write`, and where pack and tools lie in its flash; see README.md for how they get there.
 */
#include <string.h>

#include "../thimble.h"

int uart_read(void);              /* the next byte, waiting for it */
void uart_write(const char *bytes, size_t count);
extern const uint8_t pack_start[], pack_end[], tools_start[], tools_end[];

enum { arenaBytes = 100 * 1024, mostLine = 256 };
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
      if (length < mostLine) line[length++] = (char)byte;
    thimble_answer answer;
    const char *wrong = error ? error : thimble_call(&model, &limits, arena, arenaBytes, line, length, &answer);
    if (wrong) {
      say("error: ");
      say(wrong);
    } else
      uart_write(answer.json, answer.jsonBytes);
    say("\n");
  }
}
