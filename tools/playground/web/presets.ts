/** Tool lists to try, each with a request that calls one of them. */
import watch from "../../watch.json" with { type: "json" };

export interface Preset {
  label: string;
  tools: object[];
  request: string;
}

const text = (description: string, required = true) => ({ type: "string", description, required });
const oneOf = (...values: string[]) => ({ type: "string", enum: values, required: true });

const home = [
  {
    name: "set_lights",
    description: "Turn lights on or off.",
    parameters: { room: text("Room.", false), state: oneOf("on", "off") },
  },
  {
    name: "set_thermostat",
    description: "Set the temperature of the heating.",
    parameters: { degrees: { type: "integer", minimum: 5, maximum: 30, required: true }, room: text("Room.", false) },
  },
  { name: "start_vacuum", description: "Start the robot vacuum.", parameters: { room: text("Room.", false) } },
  {
    name: "set_blinds",
    description: "Open or close the blinds.",
    parameters: { room: text("Room.", false), position: oneOf("open", "closed") },
  },
  {
    name: "lock_door",
    description: "Lock a door.",
    parameters: { door: text("Which door.") },
  },
  {
    name: "unlock_door",
    description: "Unlock a door.",
    risk: "danger",
    parameters: { door: text("Which door.") },
  },
];

const car = [
  {
    name: "navigate_to",
    description: "Start navigation to a place.",
    parameters: { destination: text("Place or address.") },
  },
  {
    name: "set_cabin_temperature",
    description: "Set the temperature in the car.",
    parameters: { degrees: { type: "integer", minimum: 15, maximum: 28, required: true } },
  },
  { name: "call_contact", description: "Call somebody.", parameters: { contact: text("Who to call.") } },
  {
    name: "play_radio",
    description: "Play a radio station.",
    parameters: { station: text("Station.") },
  },
  {
    name: "set_window",
    description: "Open or close a window.",
    parameters: { side: oneOf("driver", "passenger"), position: oneOf("open", "closed") },
  },
  { name: "find_charger", description: "Find a charging station.", parameters: { near: text("Place.", false) } },
];

const travel = [
  {
    name: "book_flight",
    description: "Book a flight.",
    risk: "danger",
    parameters: {
      origin: text("City of departure.", false),
      destination: text("City of arrival."),
      date: text("Day.", false),
    },
  },
  {
    name: "find_hotel",
    description: "Find a hotel.",
    parameters: { city: text("City."), nights: { type: "integer", minimum: 1, maximum: 30 } },
  },
  {
    name: "translate",
    description: "Translate a phrase.",
    parameters: { phrase: text("What to translate."), language: text("Into which language.") },
  },
  {
    name: "convert_currency",
    description: "Convert an amount of money.",
    parameters: {
      amount: { type: "number", minimum: 0, required: true },
      from: text("Currency."),
      to: text("Currency."),
    },
  },
  { name: "order_taxi", description: "Order a taxi.", risk: "confirm", parameters: { destination: text("Where to.") } },
];

export const presets: Record<string, Preset> = {
  watch: { label: "Watch", tools: watch, request: "text anna i am running late and wake me at 7:15 tomorrow" },
  home: { label: "Home", tools: home, request: "turn off the lights in the bedroom" },
  car: { label: "Car", tools: car, request: "set the temperature to 21 and navigate to the central station" },
  travel: { label: "Travel", tools: travel, request: "find a hotel in lisbon for 3 nights" },
};

/** A list as the editor shows it: a tool's parameters a line each. */
export function pretty(tools: unknown): string {
  const text = JSON.stringify(tools, null, 2);
  // What fits on a line stands on one.
  return text.replace(/\{[^{}[\]]*\}/g, (object) => {
    const line = object.replace(/\s*\n\s*/g, " ");
    return line.length <= 90 ? line : object;
  });
}
