/* What a program on an emulated board starts with, and how it speaks: semihosting. Included once, by its main file. */
#ifndef THIMBLE_START_H
#define THIMBLE_START_H

#include <stdint.h>

#define REG(at) (*(volatile uint32_t *)(at))

extern uint32_t stack_top, data_start, data_end, data_load, bss_start, bss_end;
int main(void);

static void semihost(uint32_t operation, const void *argument) {
  register uint32_t r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "r2", "r3", "r12", "lr", "memory");
}

static void say(const char *text) {
  semihost(4, text);
}

static void say_number(uint64_t n) {
  char digits[21], *at = digits + 20;
  *at = 0;
  do *--at = (char)('0' + n % 10);
  while (n /= 10);
  say(at);
}

void reset(void) {
  /* The floating point unit first, and with it Helium. */
  REG(0xe000ed88) |= 0xf << 20;
  __asm__ volatile("dsb\nisb");
  for (uint32_t *to = &data_start, *from = &data_load; to < &data_end;) *to++ = *from++;
  for (uint32_t *to = &bss_start; to < &bss_end;) *to++ = 0;
  main();
  semihost(0x18, (void *)0x20026);
}

static void fault(void) {
  say("fault\n");
  semihost(0x18, (void *)0x20023);
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    &stack_top, reset, fault, fault, fault, fault, fault, [11] = fault, [14] = fault, [15] = fault,
};

#endif
