/** Where a value stands beside a sentence, and what is said with it. */
import type { Random } from "../random.ts";
import { type FittedParam, takesDays, type Value } from "./fit.ts";

/** A parameter with the value that a request gives it. */
export interface Given extends FittedParam {
  value: Value;
}

export type Part = string | Given;

/** The other values behind the sentence, free text last; now and then one before it. */
export function withRest(head: Part[], rest: Given[], random: Random): Part[] {
  const open = (one: Given) => Number(one.role.kind === "text" || one.role.kind === "state");
  const order = random.shuffled(rest).sort((a, b) => open(a) - open(b));
  const front = order.findIndex(({ role }) =>
    ["time", "day", "choice", "number", "duration", "place"].includes(role.kind),
  );
  const parts: Part[] = [];
  if (front >= 0 && random.chance(0.12)) {
    const [one] = order.splice(front, 1);
    parts.push(random.pick(fronts(one)), one, one.role.unit && !one.value.isSpan ? ` ${one.role.unit}` : "");
    parts.push(random.pick([", ", ", ", " ", ": "]));
  }
  parts.push(...head);
  const commas = random.chance(0.2);
  for (const one of order) {
    const [lead, ...more] = clause(one, random);
    const text = String(lead);
    parts.push(commas && text.startsWith(" ") ? `,${text}` : text, ...more);
  }
  return parts;
}

/** How a value is said behind a sentence; `~` is its place. */
function clause(one: Given, random: Random): Part[] {
  const { told } = one;
  // How its own description puts it, where that says how.
  const own = told.length > 0 && random.chance(0.4);
  const pattern = random.pick(own ? told : patterns({ ...one, label: random.pick(one.labels) }));
  const [before, after] = pattern.split("~");
  return [before, one, after ?? ""];
}

/** What stands before a value that begins the request. */
function fronts({ role, value }: Given): string[] {
  if (role.kind === "time") return isClock(value.text) ? ["at ", "at ", ""] : [""];
  if (role.kind === "number" || role.kind === "duration") return ["for ", ""];
  if (role.kind === "place") return ["in the ", "at "];
  return role.kind === "choice" ? ["", "", "with ", "in "] : [""];
}

const notClock =
  /ago|morning$|yesterday|today|tomorrow|tonight|night$|bed|lunch|breakfast|dinner|while|evening$|afternoon$|now|day|week|month|around|^(in|at|on|by|this|last|next) /i;
/** Whether "at" suits a time: not "an hour ago", not "this morning", but "8 in the morning". */
const isClock = (text: string): boolean =>
  !notClock.test(text) || / (in the|at) (morning|evening|afternoon|night)$/.test(text);

function patterns({ param, role, label, value }: Given): string[] {
  const { text } = value;
  switch (role.kind) {
    case "time":
      if (!isClock(text)) return [" ~", " ~", ", ~"];
      return [" at ~", " at ~", " at ~", " ~", ", ~", ", at ~", " around ~"];
    case "day":
      return [" on ~", " ~", ", ~", " for ~", " by ~"];
    case "duration":
      return [" for ~", " for ~", ", ~", " ~", " lasting ~"];
    case "number": {
      if (value.isSpan)
        return [
          " for ~",
          " for ~",
          " for ~",
          " ~",
          ", ~",
          ", ~ please",
          " and let it run ~",
          ", ~ will do",
          " for about ~",
        ];
      const unit = role.unit ? ` ${role.unit}` : "";
      return [
        ` for ~${unit}`,
        ` for ~${unit}`,
        ` for ~${unit}`,
        ` ~${unit}`,
        `, ~${unit}`,
        ` with ${label} ~`,
        ` ${label} ~`,
        ` at ~${unit}`,
        ` to ~${unit}`,
        `, ${label} ~`,
        ` of ~${unit}`,
      ];
    }
    case "quantity":
      return [", ~", " ~", ", ~", ` with ${label} ~`, ` ${label} ~`, ": ~", " - ~"];
    case "choice":
      if (takesDays(param))
        return text === "every day" ? [" ~", ", ~"] : [" on ~", " on ~", " on ~", " ~", ", ~", ", only ~"];
      if (param.list)
        return [" with ~", " with ~", ", ~", ` ${label} ~`, ` with ${label} ~`, `, ${label}: ~`, " for ~", " in ~"];
      return [
        ` in ~ ${label}`,
        ` with ${label} ~`,
        ` ${label} ~`,
        `, ${label} ~`,
        ", ~",
        " by ~",
        " as ~",
        " with ~",
        " on ~",
        " in ~",
        " ~",
        ` using ~`,
        ", it is ~",
        ", it's ~",
        ". it is ~",
        ", make it ~",
        ` and set ${label} to ~`,
        ", ~ please",
        ", only ~",
        " - ~",
        `, ${label} is ~`,
        ", that's ~",
      ];
    case "flag":
      return [` and ${label}`, `, ${label}`, ` with ${label}`, ` ${label}`];
    case "person":
      if (/supplier|vendor|sender|seller|from/.test(label))
        return [" from ~", " from ~", " at ~", ` ${label} ~`, ", ~", " by ~"];
      return [" for ~", " to ~", " to ~", ` ${label} ~`, ", ~", ` with ${label} ~`, " by ~", " with ~"];
    case "place":
      if (/origin|from|source/.test(label)) return [" from ~", " out of ~"];
      if (/destination|to\b|target/.test(label)) return [" to ~", " into ~"];
      return [" in ~", " at ~", " in the ~", ", ~", " at the ~", ` ${label} ~`];
    case "code":
      return [` ${label} ~`, ` with ${label} ~`, ", ~", ` number ~`, ` with the ${label} ~`];
    case "text":
      if (/reason|why|cause/.test(label))
        return [" because ~", " because of ~", `, ${label} ~`, ": ~", `, ${label}: ~`];
      return [
        ": ~",
        ", ~",
        " saying ~",
        ` with the ${label} ~`,
        `, ${label}: ~`,
        `, ${label} ~`,
        " that ~",
        " and say ~",
      ];
    case "state":
      return value.isPredicate
        ? [", it ~", ": it ~", " because it ~", ", ~", ": ~", " since it ~", " that ~"]
        : [": ~", ", ~", " with ~", " - ~", `, ${label} ~`, ` with ${label} ~`, " because of ~", " saying ~"];
    default:
      return [
        ` with ${label} ~`,
        ` ${label} ~`,
        " with ~",
        " for ~",
        ", ~",
        `, ${label} ~`,
        ` using ~`,
        " in ~",
        " on ~",
        ` and ~ as ${label}`,
      ];
  }
}
