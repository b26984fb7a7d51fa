/** The public surface of thimble/glasses: commands out of what is said. */
export type {} from "./hosts.ts";
export type { Clock } from "./wear/channel.ts";
export { type Action, type CommandOptions, CommandParser, type Waits } from "./wear/command.ts";
export type { Model } from "./wear/wearable.ts";
