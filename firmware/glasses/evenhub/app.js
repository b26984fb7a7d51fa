/** Even Hub: a page in the Even app. What is heard or typed on the phone is done, and shown on the lens; tap: yes, double tap: no. */
import { OsEventTypeList, waitForEvenAppBridge } from "@evenrealities/even_hub_sdk";
import { load } from "thimble";
import pack from "thimble/model" with { type: "file" };
import { assistant } from "../assistant.js";
import { listen } from "../page.js";

const container = { containerID: 1, containerName: "text" };
/** A text container takes 999 bytes. */
const fitting = (text) => [...text].slice(0, 240).join("");

const bridge = await waitForEvenAppBridge();
const place = { xPosition: 0, yPosition: 0, width: 576, height: 288, isEventCapture: 1 };
await bridge.createStartUpPageContainer({
  containerTotalNum: 1,
  textObject: [{ ...container, ...place, content: "Loading…" }],
});
function show(text) {
  document.getElementById("shown").textContent = text;
  bridge.textContainerUpgrade({ ...container, content: fitting(text) || " " });
}

const model = await load(new URL(pack, location.href));
const parser = assistant(model, show);

bridge.onEvenHubEvent(({ sysEvent, textEvent }) => {
  const event = sysEvent ?? textEvent;
  // A click is 0, which is left out on the way.
  const type = event?.eventType ?? OsEventTypeList.CLICK_EVENT;
  if (event && type === OsEventTypeList.CLICK_EVENT) parser.answer(true);
  if (event && type === OsEventTypeList.DOUBLE_CLICK_EVENT) parser.answer(false);
});

show("Ready.");
listen(parser, show);
