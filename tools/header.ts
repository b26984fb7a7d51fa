/** Files as a C header, for boards without a file system: words, since compilers take bytes one by one at their leisure. */

const perLine = 12;

/** Defines NAME_start and NAME_end of each file, at a multiple of 16 as firmware/mcu wants them. Targets are little-endian. */
export function writeHeader(files: Record<string, Uint8Array>): string {
  const parts = Object.entries(files).map(([name, bytes]) => {
    const words = new Uint32Array(Math.ceil(bytes.length / 4));
    new Uint8Array(words.buffer).set(bytes);
    const lines: string[] = [];
    for (let at = 0; at < words.length; at += perLine)
      lines.push(`${Array.from(words.subarray(at, at + perLine), (word) => `0x${word.toString(16)}`).join(",")},`);
    return `#define ${name}_start ((const uint8_t *)${name}_words)
#define ${name}_end (${name}_start + ${bytes.length})
static const uint32_t ${name}_words[] __attribute__((aligned(16))) = {
${lines.join("\n")}
};
`;
  });
  return `/* Made by thimble tools read; included once. */\n#include <stdint.h>\n\n${parts.join("\n")}`;
}
