/** Values of no known kind: what a thing may be called, and what may be wrong with one. */
import type { Lexicon } from "../lexicon.ts";
import { ones } from "../numerals.ts";
import type { Random } from "../random.ts";
import { make } from "../values.ts";
import { pools } from "../words.ts";

const heads =
  `invoice ticket recipe table parcel sensor folder garden drone robot printer oven washer heater pump valve station marker locker kayak tent sauna
  greenhouse turbine conveyor crane freezer aquarium telescope beehive compost kiln loom orchard paddock pier pool court stage booth shelf pallet crate barrel tank pipe cable
  antenna beacon buoy sail anchor winch gondola tram rover scooter wheelchair incubator microscope vial sample ledger permit manuscript poem mural costume spotlight quilt mattress
  lawn hedge terrace field bed border patch meadow slope row corner yard balcony wall roof border shrub bush tree vine berry herb fern rose lily tulip pepper bean squash melon lettuce
  press drill saw mixer grinder cutter welder scanner elevator gate fan motor compressor generator boiler furnace cooler dryer loader truck lift camera monitor screen switch router server
  syrup tablet ointment cream spray vitamin powder tonic serum lotion extract oil salt acid zinc iron
  ward unit bay dock lane track line cell hall block floor wing deck aisle zone sector area section
  class group team shift crew squad course lesson module chapter batch lot order case file record entry account`
    .trim()
    .split(/\s+/);

const modifiers =
  "north south east west front back upper lower left right main spare old new big small red blue green white black inner outer first second third night day summer winter guest staff glass steel wood stone cold hot dry wet high low long short fresh heavy light central rear side top bottom".split(
    " ",
  );

/** A name of a thing, of one to three words, some with a number or a letter behind. */
export function thingName(random: Random, words: readonly string[], lexicon: Lexicon | null): string {
  const known = words.length && random.chance(0.6);
  const wide = () => {
    const kinds = lexicon ? Object.values(lexicon.familiar).filter(({ length }) => length) : [];
    return kinds.length && random.chance(0.5) ? random.pick(random.pick(kinds)) : random.pick(heads);
  };
  const head = known ? random.pick(words) : random.chance(0.16) ? make("coined", random).text.toLowerCase() : wide();
  const way = random.next();
  if (way < 0.4) return head;
  if (way < 0.56) return `${random.pick(modifiers)} ${head}`;
  if (way < 0.7) return `${random.pick(heads)} ${head}`;
  if (way < 0.78) return `${head} ${random.pick(heads)}`;
  const number = random.between(1, 40);
  const tail = random.pick([String(number), ones[number % 20] || "two", random.pick([..."abcdexyz"]), String(number)]);
  return way < 0.95 ? `${head} ${tail}` : `${random.pick(heads)} ${head} ${tail}`;
}

const verbs =
  "leak jam stop start overheat vibrate rattle squeak smoke flicker spin drip freeze crash beep stall trip slip stick burn click lock drain charge print scan cool heat pump move turn open close hum shake whistle smell bend crack wobble fail reset blink spark hiss knock grind swell hurt itch ache bleed peel fade tear sag creak skip lag buzz ring respond load connect feed lift brake steer seal dry fill".split(
    " ",
  );
const parts =
  "door belt motor screen handle filter lamp sensor wheel chain bearing hose cable plug button switch brake tank blade nozzle lid hinge spring seal fan pump shaft arm lens fuse battery cover display roller gear valve pipe lever pedal tray head tip edge frame knob".split(
    " ",
  );
const stuffs =
  "oil water smoke gas power heat pressure noise air dust paper ink steam coolant fuel sparks light fluid".split(" ");
const states =
  "broken loose stuck cracked bent worn dirty blocked clogged missing torn empty dead hot cold wet rusty noisy slow weak swollen scratched burnt jammed dull leaking flat off crooked frozen unstable out of order too loud too hot not working gone damaged red sore numb";
const stateWords = states
  .replace("out of order", "out_of_order")
  .replace("too loud", "too_loud")
  .replace("too hot", "too_hot")
  .replace("not working", "not_working")
  .split(" ")
  .map((word) => word.replaceAll("_", " "));
const third = (verb: string) =>
  /(s|sh|ch|x|z)$/.test(verb) ? `${verb}es` : /[^aeiou]y$/.test(verb) ? `${verb.slice(0, -1)}ies` : `${verb}s`;
const doubled = /^(stop|spin|drip|trip|slip|scan|hum|skip|sag|lag|jam)$/;
const ing = (verb: string) =>
  doubled.test(verb) ? `${verb}${verb.at(-1)}ing` : `${verb.replace(/([^e])e$/, "$1")}ing`;

/** What is wrong: behind the thing's name it makes a sentence ("leaks oil"), or stands for itself ("belt is loose"). */
export function trouble(random: Random): { text: string; isPredicate: boolean } {
  const verb = random.pick(verbs);
  const [part, stuff, state] = [random.pick(parts), random.pick(stuffs), random.pick(stateWords)];
  const predicate = (text: string) => ({ text, isPredicate: true });
  const alone = (text: string) => ({ text, isPredicate: false });
  switch (random.between(0, 17)) {
    case 0:
      return predicate(third(verb));
    case 1:
      return predicate(
        `${third(random.pick(["leak", "lose", "spit", "drip", "use", "need", "smell of", "spill", "waste"]).split(" ")[0])} ${stuff}`,
      );
    case 2:
      return predicate(`keeps ${ing(verb)}`);
    case 3:
      return predicate(`${random.pick(["won't", "will not", "doesn't", "does not", "can't", "cannot"])} ${verb}`);
    case 4:
      return predicate(
        `is ${random.pick([state, `${ing(verb)}`, `too ${random.pick(["hot", "loud", "slow", "cold", "weak", "fast"])}`])}`,
      );
    case 5:
      return predicate(
        `has ${random.pick([`a ${random.pick(["broken", "loose", "bad", "cracked", "worn"])} ${part}`, `no ${stuff}`, `lost ${stuff}`, "stopped", `stopped ${ing(verb)}`])}`,
      );
    case 6:
      return predicate(
        `makes ${random.pick(["a", "a strange", "a loud", "an odd"])} ${random.pick(["noise", "sound", "grinding noise", "clicking sound", "hum"])}`,
      );
    case 7:
      return predicate(`shows ${random.pick(["error", "code", "fault", "warning"])} ${random.between(1, 99)}`);
    case 8:
      return predicate(
        `${third(verb)} ${random.pick(["all the time", "a lot", "too much", "every hour", "at high speed", "when it starts", "sometimes", "badly"])}`,
      );
    case 9:
      return predicate(
        `${random.pick(["smells of", "runs out of", "is full of", "is low on", "is out of", "is leaking", "is losing"])} ${random.pick([stuff, `burnt ${part}`])}`,
      );
    case 10:
      return predicate(
        `${random.pick(["is making", "gives off", "is giving"])} ${random.pick(["a burning smell", "strange noises", "a lot of heat", "error messages", "sparks"])}`,
      );
    case 11:
    case 12:
      return alone(`${part} is ${state}`);
    case 13:
      return alone(`${random.pick(["broken", "loose", "cracked", "worn", "missing", "bent", "blocked"])} ${part}`);
    case 14:
      return alone(`${part} ${random.pick([third(verb), `does not ${verb}`, `won't ${verb}`, `keeps ${ing(verb)}`])}`);
    case 15:
      return alone(
        random.pick([
          `no ${stuff}`,
          `low ${stuff}`,
          `${stuff} leak`,
          `loss of ${stuff}`,
          `strange noise`,
          `error ${random.between(1, 99)}`,
        ]),
      );
    case 16:
      return predicate(
        `${random.pick(["trips", "blows", "drops", "jams", "breaks", "scratches", "misses", "loses", "tears"])} ${random.pick(["the", "its", "every", "a"])} ${random.pick(parts)}`,
      );
    default:
      return predicate(
        `is not ${random.pick([`${ing(verb)}`, "working", "safe", "level", "stable", "straight", `${ing(verb)} properly`])}`,
      );
  }
}

export const known = (slot: string): boolean => slot in pools;
