/* The watch's one bus, for as long as an app or clock runs, and what it has learned. */
var storage = require("Storage");
var learnedFile = "thimble.learned.json";
var mostLearned = 40;
var bus;
/* Whether the phone writes to this interpreter itself; else what is written goes by Gadgetbridge, which either can read. */
var isDirect = false;

/* Whom the app asks to be told: report(name, ending, value, heard, call), done(request, calls, decision), error(code, text). */
exports.on = {};

function tell(name) {
  return function (a, b, c, d, e) {
    if (exports.on[name]) exports.on[name](a, b, c, d, e);
    else if (name === "report" && Bangle.buzz) Bangle.buzz(80);
  };
}

function write(bytes) {
  var frame = '"f":"' + btoa(bytes) + '"';
  /* An empty line first, as in actions.js. */
  if (!isDirect) Bluetooth.println("");
  Bluetooth.println(
    isDirect ? '{"t":"thimble",' + frame + "}" : '{"t":"intent","action":"thimble.frame","extra":{' + frame + "}}"
  );
}

/* Takes a frame, in base64, from TB (direct) or from Gadgetbridge. */
exports.take = function (frame, direct) {
  isDirect = direct;
  exports.bus().take(atob(frame));
};

/* The bus, started when it is first needed. */
exports.bus = function () {
  if (bus) return bus;
  bus = require("thimble").start({
    name: "Bangle.js 2",
    set: require("thimble.tools"),
    run: require("thimble.actions"),
    write: write,
    report: tell("report"),
    done: tell("done"),
    error: tell("error")
  });
  NRF.on("connect", bus.knock);
  NRF.on("disconnect", function () {
    isDirect = false;
    bus.detach();
  });
  if (NRF.getSecurityStatus().connected) bus.knock();
  return bus;
};

exports.settings = function () {
  return storage.readJSON("thimble.json", 1) || { learn: false };
};

/* A request without what changes nothing. */
function normal(text) {
  return text
    .toLowerCase()
    .replace(/[.,!]/g, " ")
    .split(" ")
    .filter(function (word) {
      return word && word !== "please";
    })
    .join(" ");
}

/* [request, call in its wire form, times used], most used first; of another set of tools they mean nothing. */
function learned() {
  var kept = storage.readJSON(learnedFile, 1);
  return kept && kept.hash === require("thimble.tools").hash ? kept.calls : [];
}

function keep(calls) {
  calls.sort(function (a, b) {
    return b[2] - a[2];
  });
  storage.writeJSON(learnedFile, { hash: require("thimble.tools").hash, calls: calls.slice(0, mostLearned) });
}

exports.learned = learned;

/* Keeps a call that the wearer confirmed. Never one of danger. */
exports.learn = function (text, call) {
  var request = normal(text);
  var calls;
  if (!exports.settings().learn || require("thimble.tools").tools[call[0]][1] > 1) return false;
  calls = learned().filter(function (entry) {
    return entry[0] !== request;
  });
  /* Where all is full the least used makes room. */
  calls = calls.slice(0, mostLearned - 1);
  calls.push([request, call, 1]);
  keep(calls);
  return true;
};

/* The call that was confirmed for a request, or undefined. */
exports.recall = function (text) {
  var request = normal(text);
  var calls = learned();
  var found;
  calls.forEach(function (entry) {
    if (entry[0] === request) found = entry;
  });
  if (!found) return undefined;
  found[2]++;
  keep(calls);
  return found[1];
};

exports.forget = function () {
  storage.erase(learnedFile);
};
