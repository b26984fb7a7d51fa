/*
 * thimble for Espruino: a watch's end of the tool bus (../PROTOCOL.md). Tools are plain functions; a call reaches them
 * once, and only with arguments that fit. Plain ES5, everything defined before it is used.
 *
 *   var bus = require("thimble").start({
 *     name: "Bangle.js",
 *     set: require("thimble.tools"),  written by: thimble tools pack tools.json -o thimble.tools.js
 *     run: { set_timer: function (args) { … } },  gives what the wearer is told, or a promise, or throws
 *     report: function (name, ending, value, heard, call) { … },  once for every call; call.args, .request, .wire
 *     done: function (request, calls, decision) { … },
 *     error: function (code, text, request) { … }
 *   });
 *   bus.request("wake me at 7");
 *
 * Strings hold one byte a character: what travels here is bytes.
 */
exports.start = function (options) {
  var set = options.set;
  var run = options.run;
  var chr = String.fromCharCode;
  var none = "\0\0\0\0\0\0";
  /* What this end takes: payload of 121 (frames of 128 bytes), 4 frames, 8 × 256 bytes. */
  var limits = "\x79\x04\x07";
  var mostBytes = 2048;
  var mostCalls = 4;
  var mostWaiting = 16;
  var endings = ["done", "failed", "refused"];

  /* The link: its name is the companion's half and ours, 3 bytes each. */
  var name = "";
  var offer = "";
  var isOpen = false;
  var kept = "";
  var payloadBytes, windowFrames, limitBytes;
  var next = 0;
  var pieces = "";
  var base = 0;
  var flying = [];
  var waiting = [];
  var tries = 0;
  var timer, caller;
  var called = 0;

  /* Calls and questions under way by number: {id, name, how, value; to ask: text, buttons, then}. */
  var calls = {};
  /* Those without a result; those that ask, in turn, the first on the screen. */
  var count = 0;
  var asking = [];
  var takeBack;
  var lastCall = 0;
  var requests = 0;

  function nothing() {}

  function fail(text) {
    throw new Error(text);
  }

  function big(n, bytes) {
    var s = "";
    while (bytes--) s += chr((n >> (8 * bytes)) & 255);
    return s;
  }

  function number(s, at, bytes) {
    var n = 0;
    while (bytes--) n = n * 256 + s.charCodeAt(at++);
    return n;
  }

  function write(kind, n, payload, session) {
    var s = chr(160 + kind, payload.length, n & 255) + payload;
    s += big(E.CRC32(s + session + big(n >> 8, 2)), 4);
    if (options.write) options.write(s);
    else Bluetooth.println('{"t":"thimble","f":"' + btoa(s) + '"}');
  }

  /* Nearest to n with this low byte. */
  function near(n, low) {
    return n + ((low - n + 128) & 255) - 128;
  }

  function repeat() {
    flying.forEach(function (piece, i) {
      write(piece.end, base + i, piece.bytes, name);
    });
  }

  function here(session, n, asked) {
    write(4, 0, "\x01" + (session || none) + big(n, 3) + limits, asked);
  }

  /* In Espruino to clear no timer is to clear them all. */
  function hush() {
    if (caller) clearTimeout(caller);
    caller = 0;
  }

  function callOut() {
    hush();
    if (isOpen || called > 7) return;
    here(name, next, none);
    caller = setTimeout(callOut, 500 << called++);
  }

  function knock() {
    called = 0;
    callOut();
  }

  function again() {
    timer = 0;
    if (++tries < 6) {
      repeat();
      arm();
    } else {
      isOpen = false;
      knock();
    }
  }

  function arm() {
    if (timer) clearTimeout(timer);
    timer = isOpen && flying.length ? setTimeout(again, Math.min(500 << tries, 8000)) : 0;
  }

  function pump() {
    var message, n, piece;
    var wasIdle = !flying.length;
    while (isOpen && waiting.length && flying.length < windowFrames) {
      message = waiting[0];
      n = base + flying.length;
      piece = { bytes: message.bytes.substr(0, payloadBytes), then: message.then };
      message.bytes = message.bytes.substr(payloadBytes);
      piece.end = message.bytes ? 0 : 1;
      if (piece.end) waiting.shift();
      flying.push(piece);
      write(piece.end, n, piece.bytes, name);
    }
    if (wasIdle) arm();
  }

  /* Whether a message was taken; `then` is told when the companion has it. With `then`, an answer, it is whatever waits. */
  function send(bytes, then) {
    if (!name || bytes.length > limitBytes || (waiting.length >= mostWaiting && !then)) return false;
    waiting.push({ bytes: bytes, then: then });
    pump();
    return true;
  }

  function drop(n) {
    var gone;
    if (n <= base || n > base + flying.length) return false;
    while (base < n) {
      gone = flying.shift();
      base++;
      if (gone.end && gone.then) gone.then();
    }
    return true;
  }

  /* The first n characters of a text; a byte of 80 … BF goes on with one. */
  function first(n, s) {
    var at = 0;
    while (at < s.length && (n -= (s.charCodeAt(at) & 192) !== 128) >= 0) at++;
    return s.substr(0, at);
  }

  /* Msgpack: nil, booleans, integers, texts and lists; other numbers go as text. */
  function pack(v) {
    var s;
    if (v === undefined || v === null) return "\xc0";
    if (v === true || v === false) return v ? "\xc3" : "\xc2";
    if (typeof v === "number" && v === (v | 0)) return v >= 0 && v < 128 ? chr(v) : "\xd2" + big(v, 4);
    if (Array.isArray(v))
      return (v.length < 16 ? chr(144 + v.length) : "\xdc" + big(v.length, 2)) + v.map(pack).join("");
    s = first(400, typeof v === "object" ? JSON.stringify(v) : "" + v);
    return (s.length < 32 ? chr(160 + s.length) : "\xda" + big(s.length, 2)) + s;
  }

  /* Reads one value of `bytes` after another. */
  function reader(bytes) {
    var at = 0;
    function take(count) {
      at += count;
      if (at > bytes.length) fail("message: expected more");
      return number(bytes, at - count, count);
    }
    function text(count) {
      take(count);
      return bytes.substr(at - count, count);
    }
    function real() {
      var high = take(4);
      var power = (high >> 20) & 2047;
      var v = (1048576 + (high & 1048575)) / 1048576 + take(4) / 4503599627370496;
      return power && v * Math.pow(2, power - 1023) * (high >> 31 ? -1 : 1);
    }
    function value(depth) {
      var h = take(1);
      var size = h >> 4 === 9 ? h & 15 : h === 220 ? take(2) : -1;
      var list = [];
      if (depth > 8) fail("message: expected less");
      if (size >= 0) {
        while (size--) list.push(value(depth + 1));
        return list;
      }
      if (h < 128) return h;
      if (h > 223) return h - 256;
      if (h >> 5 === 5) return text(h & 31);
      if (h === 192) return null;
      if (h === 194 || h === 195) return h > 194;
      if (h === 203) return real();
      if (h > 203 && h < 207) return take(1 << (h - 204));
      if (h > 207 && h < 211) {
        size = 32 - (8 << (h - 208));
        return (take(1 << (h - 208)) << size) >> size;
      }
      if (h > 216 && h < 219) return text(take(h - 216));
      fail("message: expected msgpack");
    }
    return value(0);
  }

  /* A value of the wire as its argument, undefined if it does not fit: kind and body as in runtime/wire/WIRE.md. */
  function read(kind, body, v) {
    var least = body[0];
    var most = body[1];
    var type = typeof v;
    var fits;
    if (kind < 2) fits = type === "string" && !((least && first(least - 1, v) === v) || (most && first(most, v) !== v));
    else if (kind < 6) {
      fits =
        type === "number" &&
        isFinite(v) &&
        !(
          (!(kind & 1) && v % 1) ||
          (least != null && (v < least || (v === least && body[3] & 1))) ||
          (most != null && (v > most || (v === most && body[3] & 2))) ||
          (body[2] && Math.abs(v / body[2] - Math.round(v / body[2])) > 1e-9)
        );
    } else if (kind === 6) fits = type === "boolean";
    else if (kind < 10) {
      fits = type === "number";
      v = body[v];
    } else if (Array.isArray(v) && v.length >= most && !(body[2] && v.length > body[2])) {
      v = v.map(function (item) {
        return read(least[0], least[1], item);
      });
      fits = v.indexOf(undefined) < 0;
    }
    return fits ? v : undefined;
  }

  /* Arguments by name. Throws where one does not fit. */
  function argumentsOf(tool, values) {
    var args = {};
    if (values.length > tool[2].length) fail("call: expected less");
    tool[2].forEach(function (property, i) {
      var v = values[i];
      var fit;
      if (v == null && !(property[1] & 16)) return;
      fit = read(property[1] & 15, property[2], v);
      if (fit === undefined) fail(property[0] + ": expected a value that fits, got " + v);
      args[property[0]] = fit;
    });
    return args;
  }

  function report(call, heard) {
    if (options.report) options.report(call.name, endings[call.how], call.value, heard, call);
  }

  /* Says how a call ended; where nobody can hear it, to the wearer alone. */
  function end(call, how, value) {
    function heard() {
      delete calls[call.id];
      report(call, true);
    }
    call.how = how;
    call.value = value;
    if (calls[call.id] !== call) return report(call, false);
    count--;
    if (!send(pack([5, call.id, how, value]), heard)) send(pack([5, call.id, how]), heard);
  }

  function execute(call) {
    var value;
    function done(v) {
      end(call, 0, v);
    }
    function failed(error) {
      end(call, 1, (error && error.message) || "" + error);
    }
    try {
      value = run[call.name](call.args);
    } catch (error) {
      return failed(error);
    }
    if (value && value.then) value.then(done, failed);
    else done(value);
  }

  /* Answers who asks; undefined: the question is taken back. */
  function settle(call, answer) {
    var place = asking.indexOf(call);
    if (place < 0) return;
    asking.splice(place, 1);
    if (!place && answer === undefined && takeBack) takeBack();
    call.then(answer);
    if (!place) show();
  }

  /* One prompt after another: a second would take the first one's place. */
  function show() {
    var call = asking[0];
    function then(answer) {
      settle(call, answer);
    }
    if (!call) return;
    if (options.prompt) takeBack = options.prompt(call.text, call.buttons, then);
    else {
      takeBack = E.showPrompt;
      E.showPrompt(call.text, { title: "thimble", buttons: call.buttons }).then(then);
    }
  }

  function ask(call, text, buttons, then) {
    call.text = text;
    call.buttons = buttons;
    call.then = then;
    asking.push(call);
    /* The first once more: another screen may have come over its prompt, of which nobody hears. */
    show();
  }

  /* Checks a call, asks where its risk or the companion wants it, and runs it. */
  function judge(call, who) {
    var wire = call.wire;
    var tool = Array.isArray(wire) && set.tools[wire[0]];
    var words;
    try {
      if (count > mostCalls) fail("busy");
      if (!tool || !run[tool[0]]) fail("call: expected a tool of this watch");
      call.name = tool[0];
      call.args = argumentsOf(tool, wire.slice(1));
    } catch (error) {
      return end(call, 2, error.message);
    }
    if (who !== 1 && tool[1] !== 2 && (!tool[1] || who === 2)) return execute(call);
    words = Object.keys(call.args).map(function (key) {
      return call.args[key];
    });
    ask(call, call.name.replace(/_/g, " ") + "\n" + words.join(" "), { Yes: 1, No: 0 }, function (yes) {
      if (yes) execute(call);
      else end(call, 2, yes === undefined ? "cancelled" : "declined");
    });
  }

  function choose(id, text, choices) {
    var buttons = {};
    choices.forEach(function (choice, i) {
      buttons[choice] = i;
    });
    ask((calls[id] = {}), text, buttons, function (place) {
      delete calls[id];
      send(pack([8, id, place]), nothing);
    });
  }

  function hear(bytes) {
    var m, kind;
    try {
      if (bytes.length > mostBytes) fail("expected at most " + mostBytes + " bytes");
      m = reader(bytes);
      kind = m[0];
      if (kind === 0 && m[3] === false) send("\x92\x01" + set.bytes, nothing);
      if (kind === 4 && m[1] > lastCall) {
        lastCall = m[1];
        count++;
        judge((calls[lastCall] = { id: lastCall, name: "", request: m[2], wire: m[4] }), m[3]);
      }
      if (kind === 6 && options.done) options.done(m[1], m[2], m[3]);
      if (kind === 7) choose(m[1], m[2], m.slice(3));
      if (kind === 9) settle(calls[m[1]]);
      if (kind === 10 && options.error) options.error(m[2], m[3], m[1]);
    } catch (error) {
      send(pack([10, null, "message", error.message]));
    }
  }

  function receive(kind, payload) {
    var message;
    next++;
    if (pieces.length <= mostBytes) pieces += payload;
    if (!kind) return;
    message = pieces;
    pieces = "";
    hear(message);
  }

  /* The session is gone: nobody will hear of what is under way. */
  function lose() {
    var old = calls;
    name = "";
    next = base = tries = lastCall = count = 0;
    pieces = "";
    isOpen = false;
    flying = [];
    waiting = [];
    calls = {};
    Object.keys(old).forEach(function (id) {
      if (old[id].how >= 0) report(old[id], false);
      settle(old[id]);
    });
  }

  function opened(asked, n) {
    payloadBytes = Math.min(asked.charCodeAt(10), 121);
    windowFrames = asked.charCodeAt(11);
    limitBytes = 256 * (asked.charCodeAt(12) + 1);
    hush();
    isOpen = true;
    tries = 0;
    drop(n);
    repeat();
    pump();
    arm();
  }

  function open(asked) {
    var versions = asked.charCodeAt(0);
    var session = asked.substr(1, 6);
    if (versions >> 4 > 1 || !(versions & 15)) return here("", 0, session);
    if (session === name) {
      here(name, next, session);
      return opened(asked, number(asked, 7, 3));
    }
    if (session === offer) {
      lose();
      name = offer;
      offer = "";
      here(name, 0, session);
      opened(asked, 0);
      send(pack([0, 1, options.name, set.hash, mostCalls]), nothing);
    } else if (session.substr(3) === "\0\0\0" && session !== none) {
      if (offer.substr(0, 3) !== session.substr(0, 3)) {
        offer = session.substr(0, 3) + big(1 + Math.floor((options.random || Math.random)() * 16777215), 3);
      }
      here(offer, 0, session);
    } else here(name, next, session);
  }

  /* Takes the frame at the start of s: its length, 0 for none, −1 where its end is missing. */
  function takeFrame(s) {
    var kind = s.charCodeAt(0) - 160;
    var low = s.charCodeAt(2);
    var size = s.charCodeAt(1) + 7;
    var payload, n;
    function isFor(end) {
      return big(E.CRC32(s.substr(0, size - 4) + end), 4) === s.substr(size - 4, 4);
    }
    if (!(kind >= 0 && kind < 4)) return 0;
    if (!(size <= s.length)) return -1;
    payload = s.substr(3, size - 7);
    if (kind === 3) {
      if (payload.length < 13 || !isFor("")) return 0;
      open(payload);
      return size;
    }
    if (!name) return 0;
    n = near(kind === 2 ? base : next, low);
    if (n < 0 || !isFor(name + big(n >> 8, 2))) return 0;
    if (!isOpen) return size;
    if (kind === 2) {
      if (drop(n)) {
        tries = 0;
        pump();
        arm();
      }
      return size;
    }
    if (n === next) receive(kind, payload);
    if (isOpen) write(2, next, "", name);
    return size;
  }

  return {
    /* Takes bytes that arrived. */
    take: function (bytes) {
      var n = kept ? takeFrame(bytes) : 0;
      var s = n > 0 ? bytes.substr(n) : kept + bytes;
      kept = "";
      while (s.length) {
        n = takeFrame(s);
        if (n < 0) break;
        s = s.substr(n || 1);
      }
      kept = s;
    },
    /* Says that the watch is here: at the start, and when a phone has connected. */
    knock: knock,
    /* Nobody is connected any more. */
    detach: function () {
      isOpen = false;
      hush();
      arm();
    },
    isOpen: function () {
      return isOpen;
    },
    /* Sends a request; gives its number, or 0 without a companion. */
    request: function (text) {
      if (!isOpen) knock();
      return send(pack([2, ++requests, text])) ? requests : 0;
    },
    cancel: function (request) {
      return send(pack([9, request]));
    },
    /* Facts that values may be taken from: name, value, name, value … */
    tell: function (facts) {
      return send(pack([3].concat(facts)));
    },
    /* Runs a call of the wearer's own, as the wire has it: the same checks and prompts. */
    own: function (wire) {
      judge({ name: "", wire: wire }, 0);
    },
    /* Gives the session up. */
    lose: lose
  };
};
