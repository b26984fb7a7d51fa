/** Sentences that do not begin with what is done: how much of it, what it is about, or who did it. */
import type { Random } from "../random.ts";
import type { Given, Part } from "./clauses.ts";
import type { Fitted } from "./fit.ts";
import { courtesy } from "./frames.ts";
import { gerund } from "./verbs.ts";

const particles = /^(\S+) (down|up|off|out|on|in|over|back|away)$/;

/** Ways to ask, each of which marks what it uses. */
export function turned(
  fitted: Fitted,
  main: Given,
  object: Part[],
  given: readonly Given[],
  used: Set<unknown>,
  random: Random,
): (() => Part[])[] {
  const ways: (() => Part[])[] = [];
  const verb = random.pick(fitted.verbs);
  const one = (texts: string): string => random.pick(texts.split("|"));
  const amount = given.find(({ role }) => role.kind === "duration" || (role.kind === "number" && role.unit));
  if (amount) {
    const isLong = amount.role.kind === "duration" || /^(minute|second|hour)s$/.test(amount.role.unit ?? "");
    const measure = (): Part[] => {
      used.add(amount);
      return [amount, amount.value.isSpan || !amount.role.unit ? "" : ` ${amount.role.unit}`];
    };
    // Ten minutes of what: a value of an enum, the tool's noun, or doing it.
    const stuff = (): Part => {
      const level = given.find((other) => other.role.kind === "choice" && !used.has(other));
      if (!level || random.chance(0.4)) return random.pick([...fitted.nouns, gerund(verb)]);
      used.add(level);
      return level;
    };
    const ofIt = (): Part[] => (isLong && random.chance(0.6) ? [" of ", stuff()] : []);
    ways.push(
      () => [`${courtesy(random)}give `, ...object, " ", ...measure(), ...ofIt()],
      () => [
        ...object,
        one(" needs | gets | could use | wants | should get | is to get | takes "),
        ...measure(),
        ...ofIt(),
      ],
      () => [...object, ", ", ...measure(), ...ofIt()],
    );
    if (isLong) {
      const on = () => one(" for | on | at | in ");
      ways.push(
        () => [...measure(), " of ", stuff(), on(), ...object],
        () => [
          one("I want |I'd like |let's do |make it |do |start |run |put "),
          ...measure(),
          " of ",
          stuff(),
          on(),
          ...object,
        ],
      );
    }
  }
  const who = given.find(({ role, does }) => role.kind === "person" && does);
  if (who && who !== main)
    for (let i = 0; i < 3; i++)
      ways.push(() => {
        used.add(who);
        return [who, ` ${random.pick([who.does as string, who.does as string, "has", "has got"])} `, ...object];
      });
  if (main.role.kind === "thing" || main.role.kind === "place") {
    const it = /[^s]s$/.test(main.value.text) ? "them" : "it";
    const doIt = () =>
      courtesy(random) + (particles.test(verb) ? verb.replace(particles, `$1 ${it} $2`) : `${verb} ${it}`);
    const mark = () => one(", |, |: | - |. ");
    ways.push(
      () => [
        ...object,
        one(" is next| is due| comes next| is waiting| is ready| is on the list| please| again"),
        mark(),
        doIt(),
      ],
      () => [one("about |as for |next is |next up, |this is about |now "), ...object, mark(), doIt()],
      () => [
        ...object,
        one(" looks | is | seems | is a bit | has gone "),
        one("dry|low|empty|dirty|old|bad|full|cold|hot|weak|late|open|free|slow|poor|off"),
        mark(),
        doIt(),
      ],
    );
  }
  return ways;
}
