/** MentraOS: a server that its cloud tells what the wearer says, a session for each wearer; a press means yes, a long one no. */
import { AppServer } from "@mentra/sdk";
import { load } from "thimble";
import { assistant } from "../assistant.js";

const { PACKAGE_NAME: packageName, MENTRAOS_API_KEY: apiKey, PORT = "7010", WAKE: wake } = process.env;
if (!packageName || !apiKey) {
  console.error("mentra: expected PACKAGE_NAME and MENTRAOS_API_KEY; console.mentra.glass has them");
  process.exit(2);
}
const model = await load();

class Thimble extends AppServer {
  async onSession(session) {
    const show = (text) => (text ? session.layouts.showTextWall(text) : session.layouts.clearView());
    const parser = assistant(model, show, { ...(wake && { wake }) });
    session.events.onTranscription(({ text, isFinal }) => parser.hear(text, isFinal));
    session.events.onButtonPress(({ pressType }) => parser.answer(pressType !== "long"));
    session.events.onDisconnected(() => parser.cancel());
    show("Ready.");
  }
}

await new Thimble({ packageName, apiKey, port: Number(PORT) }).start();
