/** Lengths and times of day as people say them. */
declare const spoken: {
  /** "an hour and a half" → milliseconds. Throws where there is no length. */
  duration(text: string): number;
  /** "half past seven pm" → milliseconds since midnight; `day` may say its part, "tonight". Throws where there is no time of day. */
  time(text: string, day?: string): number;
};
export default spoken;
