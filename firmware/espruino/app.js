/* thimble: say or type what to do; the phone finds the call, the watch checks and runs it. */
var watch = require("thimble.watch");
var bus = watch.bus();
var patienceMs = 30000;
var asked = 0;
var text = "";
var lines = [];
var last = null;
var timer;

function menu() {
  var items = { "": { title: "thimble", back: load } };
  items["Ask"] = input;
  if (text) {
    items["Again"] = function () {
      ask(text);
    };
  }
  watch
    .learned()
    .slice(0, 8)
    .forEach(function (entry) {
      items[entry[0]] = function () {
        ask(entry[0]);
      };
    });
  E.showMenu(items);
}

function over() {
  if (timer) clearTimeout(timer);
  timer = 0;
  asked = 0;
}

function show(message) {
  E.showMenu();
  E.showPrompt(message, { title: "thimble", buttons: { OK: 1 } }).then(menu);
}

/* What became of a request; its one call, if it ran, may be kept for when there is no phone. */
function finish(calls) {
  var call = last;
  var message = lines.join("\n") || "No tool fits.";
  over();
  if (calls !== 1 || !call || !watch.settings().learn) return show(message);
  E.showPrompt(message + "\nRight?", { title: "thimble", buttons: { Yes: 1, No: 0 } }).then(function (yes) {
    if (yes) watch.learn(text, call);
    menu();
  });
}

function ask(request) {
  var known;
  text = request;
  lines = [];
  last = null;
  asked = bus.isOpen() ? bus.request(text) : 0;
  if (!asked) {
    known = watch.recall(text);
    if (!known) {
      bus.knock();
      return show("No phone, and not learned yet.");
    }
    asked = -1;
    return bus.own(known);
  }
  E.showMessage(text + "\n...", "thimble");
  timer = setTimeout(function () {
    bus.cancel(asked);
    over();
    show("No answer.");
  }, patienceMs);
}

function input() {
  require("textinput")
    .input({ text: "" })
    .then(function (typed) {
      if (typed) ask(typed);
      else menu();
    });
}

watch.on.report = function (name, ending, value, heard, call) {
  if (!asked || (call.request || -1) !== asked) return;
  lines.push(ending === "done" ? value || name : name + ": " + (value || ending));
  last = ending === "done" ? call.wire : null;
  if (asked < 0) finish();
};
watch.on.done = function (request, calls) {
  /* Reports come when the companion has acknowledged them, so after a turn. */
  if (request !== asked) return;
  setTimeout(function () {
    finish(calls);
  }, 200);
};
watch.on.error = function (code, message) {
  if (!asked) return;
  over();
  show(message);
};

Bangle.loadWidgets();
menu();
