/**
 * Patterns over Unicode's letters and digits. A host makes such a class of hundreds of ranges, which takes a fresh process
 * a millisecond or more a pattern; a text of ASCII, as most are, gets the same pattern over ASCII's few.
 */

/** What of a class is ASCII. */
export const asciiOf: Readonly<Record<string, string>> = {
  L: "A-Za-z",
  Lu: "A-Z",
  Ll: "a-z",
  M: "",
  N: "0-9",
  "sc=Han": "",
  "sc=Hira": "",
  "sc=Kana": "",
  "sc=Thai": "",
};

/** Whether no character of a text is beyond ASCII. */
export function isAscii(text: string): boolean {
  return !/[\u0080-\uffff]/.test(text);
}

/** Gives the pattern for a text, of a source whose classes stand within brackets: `[\p{L}\p{N}]`. */
export function patternOf(source: string, flags: string): (text: string) => RegExp {
  let [narrow, wide]: (RegExp | undefined)[] = [];
  return (text) => {
    if (!isAscii(text)) {
      wide ??= new RegExp(source, flags);
      return wide;
    }
    narrow ??= new RegExp(
      source.replace(/\\p\{([^}]+)\}/g, (_, name) => asciiOf[name]),
      flags,
    );
    return narrow;
  };
}

const letterOrDigit = patternOf(String.raw`[\p{L}\p{N}]`, "u");

/** Whether there is a character, and it is one of a word: a letter or a digit of any script. */
export function isOfWord(character: string | undefined): boolean {
  return character !== undefined && letterOrDigit(character).test(character);
}
