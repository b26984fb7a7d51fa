/** All tools the generator knows by name, by domain, and what people say around them. */
import { accessibility } from "./domains/accessibility.ts";
import { appliances } from "./domains/appliances.ts";
import { banking } from "./domains/banking.ts";
import { body } from "./domains/body.ts";
import { bookings } from "./domains/bookings.ts";
import { bulletin } from "./domains/bulletin.ts";
import { calendar } from "./domains/calendar.ts";
import { calls } from "./domains/calls.ts";
import { camera } from "./domains/camera.ts";
import { chats } from "./domains/chats.ts";
import { cooking } from "./domains/cooking.ts";
import { deskwork } from "./domains/deskwork.ts";
import { device } from "./domains/device.ts";
import { diary } from "./domains/diary.ts";
import { driving } from "./domains/driving.ts";
import { ends } from "./domains/ends.ts";
import { errandry } from "./domains/errandry.ts";
import { fitness } from "./domains/fitness.ts";
import { gadgets } from "./domains/gadgets.ts";
import { health } from "./domains/health.ts";
import { hob } from "./domains/hob.ts";
import { home } from "./domains/home.ts";
import { house } from "./domains/house.ts";
import { information } from "./domains/information.ts";
import { journeys } from "./domains/journeys.ts";
import { kin } from "./domains/kin.ts";
import { lasting } from "./domains/lasting.ts";
import { lenses } from "./domains/lenses.ts";
import { lists } from "./domains/lists.ts";
import { media } from "./domains/media.ts";
import { memory } from "./domains/memory.ts";
import { messages } from "./domains/messages.ts";
import { money } from "./domains/money.ts";
import { navigation } from "./domains/navigation.ts";
import { notes } from "./domains/notes.ts";
import { office } from "./domains/office.ts";
import { opsdesk } from "./domains/opsdesk.ts";
import { outings } from "./domains/outings.ts";
import { paths } from "./domains/paths.ts";
import { pictures } from "./domains/pictures.ts";
import { purse } from "./domains/purse.ts";
import { reported } from "./domains/reported.ts";
import { repos } from "./domains/repos.ts";
import { ringing } from "./domains/ringing.ts";
import { servers } from "./domains/servers.ts";
import { settings } from "./domains/settings.ts";
import { sides } from "./domains/sides.ts";
import { standing } from "./domains/standing.ts";
import { sweat } from "./domains/sweat.ts";
import { time } from "./domains/time.ts";
import { tongues } from "./domains/tongues.ts";
import { translation } from "./domains/translation.ts";
import { transport } from "./domains/transport.ts";
import { travel } from "./domains/travel.ts";
import { tunes } from "./domains/tunes.ts";
import { vehicle } from "./domains/vehicle.ts";
import { wrist } from "./domains/wrist.ts";
import { yard } from "./domains/yard.ts";
import { isClass, isRelated } from "./meaning.ts";
import type { Random } from "./random.ts";
import { sorted } from "./request.ts";
import { type Template, template } from "./template.ts";
import { type BaseTool, type Domain, readTool } from "./tool.ts";

const domains: Record<string, Domain> = {
  time,
  messages,
  calls,
  media,
  home,
  navigation,
  fitness,
  health,
  camera,
  translation,
  notes,
  lists,
  calendar,
  device,
  transport,
  money,
  cooking,
  accessibility,
  vehicle,
  information,
  travel,
  bookings,
  appliances,
  banking,
  ends,
  sides,
  reported,
  lasting,
  servers,
  settings,
  deskwork,
  paths,
  standing,
  errandry,
  pictures,
  sweat,
  diary,
  tongues,
  outings,
  gadgets,
  opsdesk,
  repos,
  memory,
  bulletin,
  kin,
  purse,
  ringing,
  chats,
  tunes,
  body,
  office,
  journeys,
  hob,
  driving,
  yard,
  house,
  lenses,
  wrist,
};
/** How often a domain is asked for. The real corpora have hardly any camera, workout, health or device requests. */
export const domainWeights: Record<string, number> = {
  time: 8,
  messages: 6,
  calls: 5,
  media: 5,
  home: 5,
  navigation: 5,
  fitness: 9,
  health: 8,
  camera: 9,
  translation: 4,
  notes: 4,
  lists: 4,
  calendar: 4,
  device: 9,
  transport: 4,
  money: 4,
  cooking: 4,
  accessibility: 4,
  vehicle: 4,
  information: 4,
  travel: 16,
  bookings: 18,
  appliances: 16,
  banking: 11,
  ends: 17,
  sides: 19,
  reported: 18,
  lasting: 10,
  servers: 15,
  settings: 12,
  deskwork: 7,
  paths: 6,
  standing: 8,
  errandry: 8,
  pictures: 8,
  sweat: 8,
  diary: 9,
  tongues: 8,
  outings: 9,
  gadgets: 9,
  opsdesk: 7,
  repos: 7,
  memory: 9,
  bulletin: 9,
  kin: 8,
  purse: 9,
  ringing: 8,
  chats: 9,
  tunes: 9,
  body: 10,
  office: 9,
  journeys: 9,
  hob: 8,
  driving: 8,
  yard: 7,
  house: 9,
  lenses: 8,
  wrist: 9,
};

export interface Known extends BaseTool {
  phrases: { full: Template[]; bare: Template[]; twin: Template[] };
}

export const baseTools: Record<string, Known[]> = {};
export const allTools: Known[] = [];
/** What is said before the request proper, by domain. */
export const asides: Record<string, string[]> = {};
/** Sentences with the words of a domain that ask for nothing. */
export const chat: Record<string, Template[]> = {};
/** Of a domain that came from a file: those whose tools might answer its requests. */
const kinOf: Record<string, readonly string[]> = {};

for (const [name, domain] of Object.entries(domains)) add(name, domain);

function add(name: string, domain: Domain): void {
  baseTools[name] = Object.entries(domain.tools).map(([id, source]) => {
    const tool = readTool(id, name, source);
    return { ...tool, phrases: sorted(tool) };
  });
  allTools.push(...baseTools[name]);
  asides[name] = domain.asides ?? [];
  chat[name] = domain.chat.map(template);
}

/** Adds a domain to all that the generator draws from. Throws: Error for a name that is there, SyntaxError for what cannot be read. */
export function addDomain(name: string, domain: Domain, weight: number, kin: readonly string[]): void {
  if (name in baseTools) throw new Error(`domain ${name}: expected a name of its own, got one that is taken`);
  add(name, domain);
  domainWeights[name] = weight;
  kinOf[name] = kin;
}

/** A tool of any domain, by weight. */
export function pickTool(random: Random, suits: (tool: Known) => boolean): Known {
  for (;;) {
    const tool = random.pick(baseTools[random.weighted(domainWeights)]);
    if (suits(tool)) return tool;
  }
}

/** Tools that might answer each other's requests. */
export function overlap(a: BaseTool, b: BaseTool): boolean {
  return a.like.some((word) => b.like.includes(word)) || mayAnswer(a.domain, b.domain) || mayAnswer(b.domain, a.domain);
}

/** Of a class of meaning nothing says which domains of files it might answer: any. */
function mayAnswer(kind: string, domain: string): boolean {
  if (kinOf[kind]?.includes(domain) || isRelated(kind, domain)) return true;
  return domain in kinOf && isClass(kind);
}
