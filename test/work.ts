/** Counts what a function asks of the built-ins that go through text, lists, maps and bytes: work, told without a clock. */

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** What a call costs, by its subject, arguments and result: a length for what reads or makes that much, else 1. */
type Cost = (subject: unknown, args: unknown[], result: unknown) => number;

const lengthOf = (value: unknown) => (value as { length?: number } | null)?.length ?? 0;
const one: Cost = () => 1;
const whole: Cost = (subject) => 1 + lengthOf(subject);
const made: Cost = (_, __, result) => 1 + lengthOf(result);
const given: Cost = (_, [source]) => 1 + lengthOf(source);
/** Up to where it was found. */
const sought: Cost = (subject, _, result) =>
  1 + (typeof result === "number" && result >= 0 ? result : lengthOf(subject));

const listIterator = Object.getPrototypeOf([][Symbol.iterator]());
const counted: [prototype: object, cost: Cost, names: string[]][] = [
  [
    String.prototype,
    whole,
    ["split", "replace", "replaceAll", "match", "matchAll", "toLowerCase", "normalize", "trim"],
  ],
  [String.prototype, given, ["startsWith", "endsWith"]],
  [String.prototype, whole, ["includes"]],
  [String.prototype, sought, ["indexOf"]],
  [String.prototype, made, ["slice", "substring", "repeat"]],
  [Array.prototype, whole, ["map", "filter", "flatMap", "forEach", "reduce", "join", "includes", "fill", "reverse"]],
  [Array.prototype, whole, ["every", "some", "find", "toSorted"]],
  [Array.prototype, sought, ["indexOf", "findIndex"]],
  [Array.prototype, made, ["slice", "concat"]],
  [listIterator, one, ["next"]],
  [Map.prototype, one, ["get", "set", "has"]],
  [Set.prototype, one, ["add", "has"]],
  [Object.getPrototypeOf(Uint8Array.prototype), given, ["set"]],
  [Object.getPrototypeOf(Uint8Array.prototype), made, ["slice"]],
];

/** Work of a function that runs to its end at once, or when its promise settles. Comparisons of a sort count each. */
export async function workOf(run: () => unknown): Promise<number> {
  let work = 0;
  const undo: (() => void)[] = [];
  const replace = (prototype: object, name: string, wrapped: (original: Method) => Method) => {
    const original = Reflect.get(prototype, name) as Method;
    Reflect.set(prototype, name, wrapped(original));
    undo.push(() => Reflect.set(prototype, name, original));
  };
  for (const [prototype, cost, names] of counted)
    for (const name of names)
      replace(prototype, name, (original) => {
        return function (...args) {
          const result = Reflect.apply(original, this, args);
          work += cost(this, args, result);
          return result;
        };
      });
  replace(Array.prototype, "sort", (original) => {
    return function (...args) {
      const [compare = (a: unknown, b: unknown) => (String(a) < String(b) ? -1 : 1)] = args as [Method?];
      const comparing = (a: unknown, b: unknown) => {
        work++;
        return (compare as (a: unknown, b: unknown) => unknown)(a, b);
      };
      return Reflect.apply(original, this, [comparing]);
    };
  });
  try {
    await run();
  } finally {
    for (const back of undo.reverse()) back();
  }
  return work;
}
