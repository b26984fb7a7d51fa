/** What a domain file declares, and what it becomes: a tool that can be dressed and asked for. */
import { meantOf, slotsOf, type Template, template } from "./template.ts";
import { isSlot, typeOfSlot } from "./values.ts";

/**
 * One tool of a domain file. Words of a list are parted by spaces, sentences by " | ".
 *
 *     set_timer: {
 *       names: "start_timer countdown",                     other names it goes by
 *       about: "Start a timer. | Count down, then ring.",   other descriptions
 *       takes: {
 *         "duration/length": "duration! How long.",         name/other names: slot, ! required or ? optional, descriptions
 *         "items": "grocery[]! What to buy.",               an array of values of the slot
 *         "mode": "<walk=on foot/walking|drive>? How.",     an enum, each value with how it is said
 *         "enabled": "flag! On or off.",                    true or false, said "on" or "off"
 *         "nonstop": "truth? Only direct flights.",         true or false, only ever meant: {nonstop=true}
 *       },
 *       say: ["set a timer for {duration}"],                requests, in the language of template.ts
 *       hint: ["my tea needs {duration}"],                  requests that only hint at it
 *       like: "timing",                                     tools that share a word could answer each other's requests
 *     }
 */
export interface ToolSource {
  names: string;
  about: string;
  takes?: Record<string, string>;
  say: string[];
  hint?: string[];
  like?: string;
}

export interface Domain {
  tools: Record<string, ToolSource>;
  /** Sentences with the words of the domain that ask for nothing a tool could do. */
  chat: string[];
  /** What people say before they ask: circumstances that give no value of the request. */
  asides?: string[];
}

export interface Param {
  name: string;
  /** All names, `name` among them. */
  names: string[];
  /** A slot of values.ts, "choice", "flag" or "truth". */
  slot: string;
  /** Of a choice: its values, and how each is said. */
  choices: { value: string; said: string[] }[];
  /** Whether it takes several values, as an array. */
  list?: boolean;
  /** Its values, if they are its own and not those of the slot. */
  values?: readonly string[];
  about: string[];
  required: boolean;
}

export interface BaseTool {
  id: string;
  domain: string;
  names: string[];
  about: string[];
  params: Param[];
  say: Template[];
  hint: Template[];
  like: string[];
  /** Its name says nothing: its description must. */
  opaque?: boolean;
}

const sentences = (text: string) => text.split(" | ").map((sentence) => sentence.trim());

/** Throws: SyntaxError naming the tool whose declaration cannot be read. */
export function readTool(id: string, domain: string, source: ToolSource): BaseTool {
  const params = Object.entries(source.takes ?? {}).map(([names, spec]) => readParam(names.split("/"), spec, id));
  for (const one of params) {
    const other = params.find((param) => param !== one && param.names.includes(one.name));
    if (other)
      throw new SyntaxError(`${id}.${other.name}: expected other names than ${one.name}, got a parameter's name`);
  }
  const say = source.say.map(template);
  const hint = (source.hint ?? []).map(template);
  for (const phrase of [...say, ...hint]) {
    const stranger = slotsOf(phrase).find((slot) => !isSlot(slot) && !params.some((param) => param.name === slot));
    const refuse = (fault: string): never => {
      throw new SyntaxError(`${id}: ${JSON.stringify(phrase.source)}: ${fault}`);
    };
    if (stranger) refuse(`unknown slot ${stranger}`);
    for (const { slot, meant } of meantOf(phrase)) {
      const param = params.find(({ name }) => name === slot);
      if (!param || !mayMean(param, meant))
        refuse(`{${slot}=${meant}}: expected ${param ? meanable(param) : "a parameter"}, got ${meant}`);
    }
  }
  const like = [id, ...(source.like?.split(" ") ?? [])];
  return {
    id,
    domain,
    names: [id, ...source.names.split(" ")],
    about: sentences(source.about),
    params,
    say,
    hint,
    like,
  };
}

/** What may be meant of a parameter without its being said: what no word of the request has to stand for. */
function meanable({ slot, choices }: Param): string {
  if (isBoolean({ slot })) return "true or false";
  if (slot === "choice") return choices.map(({ value }) => value).join(" or ");
  return typeOfSlot(slot) === "string" ? "a slot that is said, for a string is copied" : "a number";
}

function mayMean(param: Param, meant: string): boolean {
  if (isBoolean(param)) return meant === "true" || meant === "false";
  if (param.slot === "choice") return param.choices.some(({ value }) => value === meant);
  return typeOfSlot(param.slot) !== "string" && Number.isFinite(Number(meant));
}

/** Whether a slot's values are booleans: said as on or off ("flag"), or meant and never said ("truth"). */
export const isBoolean = ({ slot }: Pick<Param, "slot">): boolean => slot === "flag" || slot === "truth";

export function readParam(names: string[], spec: string, id: string): Param {
  const match = /^(?:<([^>]+)>|(\w+)(\[\])?)([!?]) (.+)$/.exec(spec);
  if (!match) throw new SyntaxError(`${id}.${names[0]}: expected "slot! description", got ${JSON.stringify(spec)}`);
  const [, listed, slot, list, mark, about] = match;
  if (slot && !isBoolean({ slot }) && !isSlot(slot)) throw new SyntaxError(`${id}.${names[0]}: unknown slot ${slot}`);
  const choices = (listed ?? "").split("|").map((entry) => {
    const [value, said = value.replaceAll("_", " ")] = entry.split("=");
    return { value, said: said.split("/") };
  });
  return {
    name: names[0],
    names,
    slot: slot ?? "choice",
    choices: listed ? choices : [],
    about: sentences(about),
    required: mark === "!",
    ...(list && { list: true }),
  };
}
