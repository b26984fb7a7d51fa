/** Frame and Halo: a page with the model, and a script on the glasses that shows text and tells of taps. */
import { load } from "thimble";
import pack from "thimble/model" with { type: "file" };
import { assistant } from "../assistant.js";
import { listen } from "../page.js";
import { connectGlasses } from "./link.js";
import script from "./main.lua" with { type: "text" };

const shown = document.getElementById("shown");
let glasses = null;

/** Lines of the lens hold some 25 characters, and there are six. */
const wrapped = (text) =>
  text
    .replace(/(.{1,25})(?:\s+|$)|(.{25})/g, "$1$2\n")
    .split("\n")
    .slice(0, 6)
    .join("\n")
    .trim();

function show(text) {
  shown.textContent = text;
  glasses?.show(wrapped(text) || " ").catch((error) => {
    shown.textContent = error.message;
  });
}

const model = await load(new URL(pack, location.href));
const parser = assistant(model, show);
document.getElementById("connect").addEventListener("click", async () => {
  try {
    glasses = await connectGlasses((data) => data === "tap" && parser.answer(true));
    await glasses.upload("thimble", script);
    shown.textContent = "Glasses connected.";
  } catch (error) {
    glasses = null;
    shown.textContent = error.message;
  }
});
show("Ready.");
listen(parser, show);
