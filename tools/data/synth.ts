/**
 * A seed and a number → one example. The walk: pick a kind, pick who is asked for, say it, dress the tools that are
 * offered, spell the request, write the answer, check it.
 */
import { snakeCase } from "../../runtime/tools/prompt.ts";
import { answer, type Dressed, dress } from "./dress.ts";
import { type Call, checkCalls, type FlatTool, numbersIn, ungrounded } from "./ground.ts";
import type { Lexicon } from "./lexicon.ts";
import { Random } from "./random.ts";
import { type Ask, type Request, smooth } from "./request.ts";
import { type Kind, kinds, scenes } from "./scenes.ts";
import { heard, lower, stumble, typeset } from "./speech.ts";
import type { BaseTool } from "./tool.ts";

export interface Example {
  query: string;
  tools: FlatTool[];
  answers: Call[];
  kind: Kind;
  /** Of the tool that is asked for first, if any is. */
  domain?: string;
  source: string;
  id: string;
}

/** Makes example `index` of the stream that `seed` and the lexicon name. Throws: Error where the generator broke its own law. */
export function synthesize(seed: number, index: number, lexicon: Lexicon | null = null): Example {
  const random = new Random(seed, index);
  const kind = random.weighted(kinds);
  let shown: ReturnType<typeof show>;
  do {
    const { request, offered, strict, manner } = scenes[kind](random, lexicon);
    shown = show(request, offered, (tool, asks) => dress(tool, asks, random, strict), random, manner ?? kind, strict);
  } while (!shown);
  const { query, tools, answers, domain } = shown;
  const id = `synth-${seed}-${index}`;
  checkLaw(id, shown);
  return { query, tools, answers, kind, ...(domain && { domain }), source: "synth", id };
}

/** Throws: Error for an example whose answer does not fit its tools, or says what the request does not. */
export function checkLaw(id: string, { query, tools, answers }: Pick<Example, "query" | "tools" | "answers">): void {
  try {
    checkCalls(answers, tools);
    const loose = ungrounded(query, answers, tools);
    if (loose) throw new Error(loose);
  } catch (error) {
    throw new Error(`${id}: ${(error as Error).message}, in ${JSON.stringify({ query, answers })}`);
  }
}

/** Dresses the tools, spells the request and writes the answer. Null where numbers in words ran into one. */
export function show(
  request: Request,
  offered: readonly BaseTool[],
  wear: (tool: BaseTool, asks: readonly Ask[]) => Dressed,
  random: Random,
  kind: Kind,
  strict = false,
): Pick<Example, "query" | "tools" | "answers" | "domain"> | null {
  const names = new Set<string>();
  const dressed = new Map<BaseTool, Dressed>();
  for (const tool of offered) {
    const asks = request.asks.filter((one) => one.tool === tool);
    const worn = wear(tool, asks);
    if (names.has(snakeCase(worn.flat.name)))
      worn.flat.name = asks.length || strict ? `${worn.flat.name}_${tool.domain}` : "";
    if (!worn.flat.name || names.has(snakeCase(worn.flat.name))) continue;
    names.add(snakeCase(worn.flat.name));
    dressed.set(tool, worn);
  }
  smooth(request);
  if (kind === "disfluent") stumble(request, random);
  if (kind === "heard") heard(request, random);
  else if (random.chance(0.12)) lower(request);
  if (kind !== "heard" && random.chance(0.1)) typeset(request, random);
  const query = spell(request, kind, random);
  if (numbersMerge(request, query)) return null;
  const answers = request.asks.map((one: Ask) => {
    const worn = dressed.get(one.tool);
    if (!worn) throw new Error(`${one.tool.id}: asked for and not offered`);
    return { name: worn.flat.name, arguments: answer(worn, one) };
  });
  const domain = request.asks[0]?.tool.domain;
  return { query, tools: random.shuffled([...dressed.values()]).map(({ flat }) => flat), answers, domain };
}

/** "priced one hundred ninety" and "two centimeters high" are heard as 192, "record ninety for gas" as 94. */
function numbersMerge({ asks }: Request, query: string): boolean {
  const said = asks.flatMap(({ args }) => [...args.values()]).filter(({ value }) => typeof value === "number");
  const heardNumbers = numbersIn(query);
  return said.some(({ value }) => !heardNumbers.has(Math.abs(value as number)));
}

const quotable = new Set(["message", "note", "phrase", "song", "clause"]);

/** Joins the pieces; now and then with a capital, a full stop, quotes around what is quoted. */
function spell({ pieces }: Request, kind: Kind, random: Random): string {
  const quotes = random.pick([
    ["“", "”"],
    ['"', '"'],
    ["'", "'"],
  ]);
  const quoted = kind !== "heard" && random.chance(0.08);
  let text = "";
  for (const { text: said, param } of pieces) {
    const isQuote = quoted && param && quotable.has(param.slot) && !/['’"“]/.test(said) && !/["“]$/.test(text);
    const next = isQuote ? quotes[0] + said + quotes[1] : said;
    text += text.endsWith(" ") || !text ? next.replace(/^ +(?=.)/, "") : next;
  }
  text = text
    .replace(/ +$/, "")
    .replace(/ +(?=[,.?!](?: |$))/g, "")
    .replace(/,(?=,)/g, "");
  if (kind === "heard") return text.replace(/ {2,}/g, " ").trim();
  const style = random.next();
  const starts = !pieces.find(({ text: said }) => said.trim())?.param;
  if (style < 0.45 && starts && text) text = text[0].toUpperCase() + text.slice(1);
  const question = /^(what|how|where|when|who|which|is|are|do|does|did|can|could|would|will|am|any|have|has)\b/i.test(
    text,
  );
  if (style < 0.3 && !/[.?!]$/.test(text)) text += question ? "?" : random.chance(0.9) ? "." : "!";
  else if (style < 0.4 && question && !/[.?!]$/.test(text)) text += "?";
  return text;
}
