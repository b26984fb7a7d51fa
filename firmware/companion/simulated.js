/** A few tools of a watch, for trying the page with none. */
import { ToolSet } from "thimble";

export const simulatedTools = {
  tools: ToolSet.from([
    {
      name: "set_timer",
      description: "Start a countdown timer.",
      parameters: { duration: { type: "string", description: 'Length, e.g. "10 minutes".', required: true } },
    },
    {
      name: "set_alarm",
      description: "Set an alarm.",
      parameters: {
        time: { type: "string", description: 'Time, e.g. "7 am".', required: true },
        date: { type: "string", description: 'Day, e.g. "tomorrow".' },
      },
    },
    { name: "get_steps", description: "Tell how many steps were walked today.", parameters: {} },
    { name: "find_phone", description: "Make the phone ring to find it.", parameters: {} },
    { name: "erase_notes", description: "Erase all notes.", risk: "danger", parameters: {} },
  ]),
  run: {
    set_timer: ({ duration }) => `Timer: ${duration}`,
    set_alarm: ({ time, date }) => `Alarm: ${[time, date].filter(Boolean).join(", ")}`,
    get_steps: () => "6120 steps",
    find_phone: () => "Ringing",
    erase_notes: () => "Notes erased",
  },
};
