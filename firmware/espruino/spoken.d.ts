/** Lengths and times as people say them. */
declare const spoken: {
  /** "an hour and a half", "1:30" → milliseconds. Throws where there is no length, or more than one. */
  duration(text: string): number;
  /**
   * "half past seven pm", and a day that may be said apart, "tomorrow" → milliseconds since midnight, and days from today where
   * one is said. `today`: 0 for Sunday. Throws where there is no time, or a day that is not known.
   */
  when(text: string, day: string, today: number): { ms: number; days?: number };
};
export default spoken;
