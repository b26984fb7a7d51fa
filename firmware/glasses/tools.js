/** What the glasses of these examples can do: notes and a stopwatch. */
export const tools = [
  {
    name: "save_note",
    description: "Write down a note.",
    parameters: { text: { type: "string", description: "What to note.", required: true } },
  },
  { name: "read_notes", description: "Show the notes.", parameters: {} },
  { name: "erase_notes", description: "Erase all notes.", risk: "danger", parameters: {} },
  { name: "start_stopwatch", description: "Start the stopwatch.", parameters: {} },
  { name: "stop_stopwatch", description: "Stop the stopwatch and show the time.", parameters: {} },
];

/** The tools of one wearer: each gives what is to be read; `undo` takes a call back where that can be. */
export function wearersTools() {
  const notes = [];
  let startMs = null;
  return {
    run: {
      save_note: ({ text }) => `Note ${notes.push(text)}: ${text}`,
      read_notes: () => notes.join("\n") || "No notes.",
      erase_notes: () => `${notes.splice(0).length} notes erased`,
      start_stopwatch: () => {
        startMs = Date.now();
        return "Stopwatch started";
      },
      stop_stopwatch: () => {
        if (startMs === null) return "The stopwatch is not running.";
        const seconds = Math.round((Date.now() - startMs) / 1000);
        startMs = null;
        return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
      },
    },
    undo: {
      save_note: () => `Note taken back: ${notes.pop()}`,
      start_stopwatch: () => {
        startMs = null;
        return "Stopwatch reset";
      },
    },
  };
}
