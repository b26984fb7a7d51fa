/** What the pages of these examples have in common: a form to type into, and a button where the phone recognises speech. */
const find = (id) => document.getElementById(id);

/** Gives a parser what is typed and said. */
export function listen(parser, show) {
  const say = (text) => {
    parser.attend();
    parser.hear(text, true);
  };
  find("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    say(find("request").value);
    find("request").value = "";
  });
  // To try it: index.html#note%20that%20the%20bike%20needs%20new%20brakes
  if (location.hash) say(decodeURIComponent(location.hash.slice(1)));

  const Recognition = globalThis.SpeechRecognition ?? globalThis.webkitSpeechRecognition;
  if (!Recognition) return;
  find("listen").hidden = false;
  find("listen").addEventListener("click", () => {
    const recognition = Object.assign(new Recognition(), { interimResults: true, lang: "en-US" });
    recognition.onresult = ({ results }) => parser.hear(results[0][0].transcript, results[0].isFinal);
    recognition.onerror = ({ error }) => show(`speech: ${error}`);
    parser.attend();
    recognition.start();
  });
}
