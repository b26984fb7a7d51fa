/** What stands before the name of a thing. */

/** Said without "the": "mom", "traffic". */
const bare = new Set(
  `mom mother mum dad father daddy grandma granny nana grandpa granddad bluetooth wifi wireless GPS bass treble contrast music jazz traffic pollution smog unemployment joblessness location
  subtitles captions`.split(/\s+/),
);

/** Of many things, or of a kind that is spoken of so: "are the shades closed", never "is". */
export const isPlural = (word: string): boolean =>
  /(people|children|police|data)$|[^s]s$/.test(word) &&
  !/^(bass|GPS|news|series|illumination)$|(series|news|bus|status)$/.test(word);

/** Words that may stand before a thing. */
export const determiners = (word: string, kind: string): string[] => {
  if (bare.has(word)) return kind === "person" ? ["", "my "] : ["", "", "the "];
  if (kind === "person" || kind === "task") return ["my ", "the ", "my "];
  if (kind === "level" || kind === "fact") return ["the "];
  if (kind === "power" || kind === "sound" || kind === "opening") return ["the ", "the ", "my "];
  return ["the ", "my ", "this ", "that "].filter((one) => !/th[ia][st]/.test(one) || !isPlural(word));
};
