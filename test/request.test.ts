/** Requests as people type them: what the model reads of them, and the way back to their own words. */
import { describe, expect, test } from "bun:test";
import { load, packCalls, ToolSet, unpackCalls } from "../runtime/index.ts";
import { asciiOf, isOfWord, patternOf } from "../runtime/text/letters.ts";
import { lowerCased, mostRequestCharacters, plainText, readRequest } from "../runtime/text/request.ts";
import { seeded } from "./support.ts";

const watch = await Bun.file(new URL("../tools/watch.json", import.meta.url)).json();
const model = await load();

describe("the model reads", () => {
  test.each([
    ["plain text as it is", "text mum i'm on my way", "text mum i'm on my way"],
    ["typographic apostrophes as plain ones", "i’m at ann‘s ʼtil it´s 5′ o`clock", "i'm at ann's 'til it's 5' o'clock"],
    ["typographic quotes as plain ones", "say “hi” and „ho‟ and «hey»", 'say "hi" and "ho" and "hey"'],
    ["dashes and minus signs as hyphens", "5–10 — then −3", "5-10 - then -3"],
    ["full-width characters as plain ones", "ｓｅｔ　１０：３０～", "set 10:30~"],
    ["an ellipsis as three dots", "wait… what", "wait... what"],
    ["any white space as one space", "wake\tme \u00a0 at\r\n7:15\u2028or\u00858", "wake me at 7:15 or 8"],
    ["no white space at the ends", "\ufeff \n wake me \r\n\u00a0", "wake me"],
    ["no invisible characters", "\u200ewa\u200bke co\u00adoperate\u2060 \u202d+49\u202c", "wake cooperate +49"],
    ["letters with marks of their own as one", "cafe\u0301 Zu\u0308rich", "café Zürich"],
    ["capitals as small letters, digits between them", "SET A TIMER FOR 5 MINUTES", "set a timer for 5 minutes"],
    ["a capital at every word as none", "Set A Timer For 5 Minutes, I'm Off", "set a timer for 5 minutes, i'm off"],
    ["a name after a verb as it is", "Call Bob", "Call Bob"],
    ["a capital at nearly every word as it is", "Turn off Bob's Lights", "Turn off Bob's Lights"],
    ["scripts without capitals as they are", "打开 微信 吧", "打开 微信 吧"],
    ["capitals with a few small letters", "SET A TIMER FOR 5 min", "set a timer for 5 min"],
    ["a name in capitals as it is", "call BOB at home", "call BOB at home"],
    ["capitals and small letters by halves as they are", "CALL Bob AT home", "CALL Bob AT home"],
    ["a capital on its own as it is", "A 5", "A 5"],
    ["other scripts and emoji as they are", "打开 微信 👨‍👩‍👧 дом", "打开 微信 👨‍👩‍👧 дом"],
  ])("%s", (_, typed, read) => {
    expect(readRequest(typed).text).toBe(read);
  });
});

test("the short form of a pattern is Unicode's class at every character of ASCII, and the wide one takes the others", () => {
  const ascii = Array.from({ length: 0x80 }, (_, code) => String.fromCharCode(code));
  for (const name of Object.keys(asciiOf)) {
    const [pattern, unicode] = [patternOf(`[\\p{${name}}]`, "u"), new RegExp(`\\p{${name}}`, "u")];
    for (const one of ascii) expect([one, pattern(one).test(one)]).toEqual([one, unicode.test(one)]);
  }
  const words = patternOf(String.raw`[\p{L}\p{N}]+`, "gu");
  for (const [text, found] of [
    ["call Anna at 5, ok?", ["call", "Anna", "at", "5", "ok"]],
    ["ring Zoë", ["ring", "Zoë"]],
    ["打开 5", ["打开", "5"]],
  ] as const)
    expect(text.match(words(text)) ?? []).toEqual([...found]);
  expect(["a", "Z", "7", "é", "微", "'", " ", "—", "_"].map(isOfWord)).toEqual([
    ...[true, true, true, true, true],
    ...[false, false, false, false],
  ]);
});

test("what is no request says so, and what to do", () => {
  for (const wrong of [undefined, null, 5, {}, [], Symbol("x")])
    expect(() => readRequest(wrong as never)).toThrow(/^request: expected text, got \w+; pass what the user said/);
  for (const empty of ["", " ", "\r\n\t", "\u200b", "\ufeff", "▁", "\u200b▁ ▁"])
    expect(() => readRequest(empty)).toThrow("request: expected text, got none; say what to do");
  expect(() => readRequest("a".repeat(mostRequestCharacters + 1))).toThrow("got 65537; shorten the request");
});

test("every word leads back to what was typed, over 2,000 random texts", () => {
  const random = seeded(7);
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)];
  const parts = [" ", "  ", "\t", "\r\n", "\u00a0", "’", "“", "—", "…", "\u200b", "e\u0301", "A", "b", "I’m", "7:15"];
  for (let turn = 0; turn < 2000; turn++) {
    const typed = `${Array.from({ length: 1 + random() * 20 }, () => pick(parts)).join("")}x`;
    const request = readRequest(typed);
    for (const { 0: word, index } of request.text.matchAll(/\S+/g)) {
      const { start, end } = request.typedSpan(index, index + word.length);
      expect(lowerCased(plainText(typed.slice(start, end)))).toBe(lowerCased(word));
    }
    for (const { 0: character, index } of request.text.matchAll(/\S/g)) {
      const { start, end } = request.typedSpan(index, index + 1);
      expect(lowerCased(plainText(typed.slice(start, end)))).toContain(lowerCased(character));
    }
    const whole = request.typedSpan(0, request.text.length);
    expect(plainText(typed.slice(whole.start, whole.end))).toBe(plainText(typed));
  }
});

/** Calls with their values only, and in small letters and plain characters. */
const plainCalls = (calls: { name: string; arguments: object }[]) =>
  lowerCased(plainText(JSON.stringify(calls.map(({ name, arguments: args }) => [name, args]))));

describe("the same call, in the user's own words", () => {
  test.each([
    ["a typographic apostrophe", "text mum i’m on my way", "text mum i'm on my way"],
    ["a line break at the end", "wake me at 7:15 tomorrow\r\n", "wake me at 7:15 tomorrow"],
    ["line breaks, tabs and runs of spaces within", "wake\tme  at\r\n7:15\u00a0tomorrow", "wake me at 7:15 tomorrow"],
    ["spaces that do not break", "set\u00a0a\u00a0timer\u00a0for\u00a010\u00a0minutes", "set a timer for 10 minutes"],
    ["a capital at every word", "Text Mum I'm On My Way", "text mum i'm on my way"],
    ["capitals", "SET A TIMER FOR 5 MINUTES", "set a timer for 5 minutes"],
    ["capitals with a name", "TEXT MUM I’M ON MY WAY", "text mum i'm on my way"],
    ["marks of direction", "\u200etext \u2068anna\u2069 i am late", "text anna i am late"],
    ["full-width digits", "set a timer for １０ minutes", "set a timer for 10 minutes"],
    ["marks of their own", "text Zoe\u0308 i am late", "text Zoë i am late"],
  ])("%s", async (_, typed, plain) => {
    const { calls } = await model.call(typed, watch);
    expect(plainCalls(calls)).toBe(plainCalls((await model.call(plain, watch)).calls));
    let copied = 0;
    for (const { arguments: args, sources } of calls) {
      for (const [key, value] of Object.entries(args)) {
        const { from, start, end } = sources[key];
        if (from !== "request" || typeof value !== "string") continue;
        expect(typed.slice(start, end)).toBe(value);
        copied++;
      }
    }
    expect(copied).toBeGreaterThan(0);
  });
});

test("mum is texted what was typed: the apostrophe of the phone", async () => {
  const { calls } = await model.call("text mum i’m on my way", watch);
  expect(calls.map(({ name, arguments: args }) => [name, args])).toEqual([
    ["send_message", { recipient: "mum", text: "i’m on my way" }],
  ]);
});

test("half a surrogate pair is U+FFFD, so that a device can be told what was copied", async () => {
  const tools = ToolSet.from([
    { name: "note", description: "Write a note.", parameters: { text: { type: "string", required: true } } },
  ]);
  for (const request of ["write a note: milk \ud83d", "note \udc00 eggs", "\ud800"]) {
    const { calls } = await model.call(request, tools, { calls: "one" });
    const [{ arguments: back }] = unpackCalls(tools, packCalls(tools, calls));
    expect(back).toEqual(calls[0].arguments);
    expect(readRequest(request).typed).toHaveLength(request.length);
  }
});

test("a request that is none rejects before the model works", async () => {
  await expect(model.call(undefined as never, watch)).rejects.toThrow(
    "request: expected text, got undefined; pass what the user said as a string",
  );
  await expect(model.rank(7 as never, watch)).rejects.toThrow("request: expected text, got number");
  await expect(model.call("turn on the lights ".repeat(55_000), watch)).rejects.toThrow("shorten the request");
});
