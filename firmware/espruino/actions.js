/* What the tools of tools.json do on a Bangle.js 2. Each gives what the wearer is told, a promise of it, or throws. */
var storage = require("Storage");
var notesFile = "thimble.notes";
var watchFile = "thimble.stopwatch.json";

function two(n) {
  return ("0" + n).substr(-2);
}

function clock(ms) {
  var s = Math.floor(ms / 1000);
  var h = Math.floor(s / 3600);
  return (h ? h + ":" + two(Math.floor(s / 60) % 60) : Math.floor(s / 60)) + ":" + two(s % 60);
}

function schedule(id, alarm) {
  var sched = require("sched");
  alarm.appid = "thimble";
  alarm.del = true;
  sched.setAlarm(id, alarm);
  sched.reload();
}

function phone(message) {
  if (!NRF.getSecurityStatus().connected) throw new Error("no phone");
  /* Gadgetbridge reads lines that begin with a brace: what the interpreter has printed ends before. */
  Bluetooth.println("");
  Bluetooth.println(JSON.stringify(message));
}

exports.set_timer = function (args) {
  var ms = require("thimble.spoken").duration(args.duration);
  if (ms > 86400000) throw new Error("at most a day");
  schedule("thimble" + Date.now(), { msg: "Timer", timer: ms });
  return "timer " + clock(ms);
};

exports.set_alarm = function (args) {
  var now = new Date();
  var isLength = args.time.substr(0, 3) === "in " || args.time.substr(-8) === "from now";
  var said, at, alarm, isNext;
  if (isLength && !args.date) {
    try {
      return exports.set_timer({ duration: args.time });
    } catch (error) {
      /* "In the morning at 7" is none. */
    }
  }
  said = require("thimble.spoken").when(args.time, args.date, now);
  alarm = { msg: "Alarm", t: said.ms };
  /* Of a time that has passed the next one is meant. */
  isNext = !said.days && said.hasPassed;
  if (isNext) alarm.last = now.getDate();
  at = new Date(now.getFullYear(), now.getMonth(), now.getDate() + (said.days || 0), 12);
  if (said.days) alarm.date = at.getFullYear() + "-" + two(at.getMonth() + 1) + "-" + two(at.getDate());
  schedule("thimble" + Date.now(), alarm);
  at = said.ms / 60000;
  return (
    "alarm " + Math.floor(at / 60) + ":" + two(at % 60) + (said.days ? " " + alarm.date : isNext ? " tomorrow" : "")
  );
};

exports.find_phone = function () {
  phone({ t: "findPhone", n: true });
  return "ringing";
};

exports.vibrate = function (args) {
  var left = args.times || 1;
  function next() {
    if (!left--) return "done";
    return Bangle.buzz(300)
      .then(function () {
        return new Promise(function (resolve) {
          setTimeout(resolve, 200);
        });
      })
      .then(next);
  }
  return next();
};

exports.get_steps = function () {
  return Bangle.getHealthStatus("day").steps + " steps";
};

exports.get_heart_rate = function () {
  return new Promise(function (resolve, reject) {
    var timer;
    function heard(hrm) {
      if (hrm.confidence < 80) return;
      Bangle.removeListener("HRM", heard);
      Bangle.setHRMPower(0, "thimble");
      clearTimeout(timer);
      resolve(hrm.bpm + " beats a minute");
    }
    timer = setTimeout(function () {
      Bangle.removeListener("HRM", heard);
      Bangle.setHRMPower(0, "thimble");
      reject(new Error("no pulse found"));
    }, 40000);
    Bangle.on("HRM", heard);
    Bangle.setHRMPower(1, "thimble");
  });
};

exports.set_brightness = function (args) {
  Bangle.setLCDBrightness(args.percent / 100);
  return "brightness " + args.percent + "%";
};

exports.control_music = function (args) {
  var names = { louder: "volumeup", quieter: "volumedown" };
  phone({ t: "music", n: names[args.action] || args.action });
  return "music: " + args.action;
};

/* since: when it was started, 0 while it stands; sum: what ran before, in ms. */
exports.stopwatch = function (args) {
  var state = storage.readJSON(watchFile, 1) || { since: 0, sum: 0 };
  var now = Date.now();
  if (state.since && args.action !== "start") state.sum += now - state.since;
  if (args.action === "start") state.since = state.since || now;
  else if (args.action === "read") state.since = state.since && now;
  else state.since = 0;
  if (args.action === "reset") state.sum = 0;
  storage.writeJSON(watchFile, state);
  return "stopwatch " + (args.action === "start" ? "started" : clock(state.sum));
};

exports.take_note = function (args) {
  storage.open(notesFile, "a").write(new Date().toISOString().substr(0, 16) + " " + args.text + "\n");
  return "noted";
};

exports.record_gps = function (args) {
  if (!global.WIDGETS || !WIDGETS.recorder) throw new Error("install the app recorder");
  return WIDGETS.recorder.setRecording(args.state === "on").then(function () {
    return "GPS recording " + args.state;
  });
};

exports.erase_notes = function () {
  storage.open(notesFile, "r").erase();
  return "notes erased";
};
