/** From what is heard to what is done and shown; the glasses around it differ. */
import { CommandParser } from "thimble/glasses";
import { tools, wearersTools } from "./tools.js";

/** A parser whose calls run the tools of tools.js; `show` gets what the wearer is to read. */
export function assistant(model, show, options = {}) {
  const { run, undo } = wearersTools();
  const takeBack = ({ name }) => undo[name]?.() ?? `${name.replaceAll("_", " ")}: cannot be taken back`;
  return new CommandParser({
    model,
    tools,
    ...options,
    onAction(action) {
      if (action.kind === "call") {
        const before = action.instead.map(takeBack);
        show([...before, ...action.calls.map((call) => run[call.name](call.arguments))].join("\n"));
      } else if (action.kind === "ask") show(`${action.question}\nyes or no`);
      else if (action.kind === "undo") show(action.calls.map(takeBack).join("\n"));
      else if (action.kind === "drop") show("");
      else if (action.kind === "none") show(`No tool fits: ${action.text}`);
      else show(action.error.message);
    },
  });
}
