/** Lengths and times as people say them. */
declare const spoken: {
  /** "an hour and a half", "1:30" → milliseconds. Throws where there is no length, or more than one. */
  duration(text: string): number;
  /**
   * "half past seven pm", and a day that may be said apart, "tomorrow" → milliseconds since midnight, days from today where
   * one is said, and whether it has passed today. Throws where there is no time, a day that is not known, or a time of today that has passed.
   */
  when(text: string, day: string, now: Date): { ms: number; days?: number; hasPassed: boolean };
};
export default spoken;
