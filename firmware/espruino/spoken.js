/* Lengths and times as people say them. What is not understood whole is an error: better no alarm than one at another time. */
var ones =
  " zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen ";
var tens = " zero ten twenty thirty forty fifty sixty seventy eighty ninety ";
var shares = { "1/4": 0.25, quarter: 0.25, quarters: 0.25, "1/2": 0.5, half: 0.5, "3/4": 0.75 };
var unitWords = " d day days h hr hrs hour hours m min mins minute minutes s sec secs second seconds ";
var units = { d: 86400000, h: 3600000, m: 60000, s: 1000 };
var week =
  " sun mon tue wed thu fri sat sunday monday tuesday wednesday thursday friday saturday sun mon tues weds thurs ";
var fillers = " at by on for around about exactly sharp please next the ";

/* Words and numbers, and how far they are read. */
var list, at;

/* The place of a word in a list, -1 for none. Espruino finds, and replaces, at a text's end what only begins there: none may. */
function place(words, word) {
  var i = (words + ".").indexOf(" " + word + " ");
  return i < 0 ? i : words.substr(0, i + 1).split(" ").length - 2;
}

/* "10min" is two, "twenty five" and "three quarters" one. */
function read(text) {
  /* Less than what may be added to the number before. */
  var room = 0;
  list = [];
  at = 0;
  text
    .toLowerCase()
    .replace(/([ap])[.]m/, "$1m")
    .replace(/o[^a-z]*clock/, "oclock")
    .replace(/day after tomorrow/, "overmorrow")
    .replace(/([0-9])-*([a-z])/g, "$1 $2")
    .replace(/([a-z])([0-9])/g, "$1 $2")
    .replace(/([a-z])-([a-z])/g, "$1 $2")
    .split(" ")
    .forEach(function (word) {
      var end = list.length - 1;
      var last = list[end] >= 1 ? list[end] : 0;
      var value, share;
      if (word && ".,!?".indexOf(word.substr(-1)) >= 0) word = word.substr(0, word.length - 1);
      if (!word) return;
      value = place(tens, word) > 0 ? 10 * place(tens, word) : place(ones, word);
      /* Objects of Espruino have an "on" of their own. */
      share = typeof shares[word] === "number" ? shares[word] : 0;
      if (value > 0 && value < room) list[end] += value;
      else if (value >= 0) list.push(value);
      else if (word === "hundred" && last) list[end] *= 100;
      else if (word === "hundred") list.push(100);
      else if (share && last) list[end] = word.charAt(1) === "/" ? last + share : last * share;
      else if (share) list.push(share);
      else if (word === "m" && place(" a p ", list[end]) >= 0) list[end] += word;
      else list.push(/^[0-9]+$/.test(word) || /^[0-9]+[.][0-9]+$/.test(word) ? parseFloat(word) : word);
      room = word === "hundred" ? 100 : value > 19 ? 10 : 0;
    });
}

/* Takes the next word if it is one of a list. */
function take(words) {
  return at < list.length && place(words, list[at]) >= 0 ? list[at++] : "";
}

/* Takes the next number; NaN for none. */
function number() {
  return typeof list[at] === "number" ? list[at++] : NaN;
}

/* "two and a half", "three quarters of an", "a couple of"; NaN for none. */
function quantity() {
  var isArticle = take(" a an ");
  var n = take(" couple ") ? 2 : number();
  var start = at;
  var more;
  if (isNaN(n) && isArticle) return 1;
  if (take(" and ")) {
    take(" a an ");
    more = number();
    if (more < 1 || (n % 100 === 0 && more < 100)) n += more;
    else at = start;
  }
  if (take(" of ") || n < 1) take(" a an ");
  return n;
}

/* "an hour and a half", "1:30" → milliseconds. Throws where there is no length. */
exports.duration = function (text) {
  var total = 0;
  var last = 0;
  var clock = text.split(":");
  var n, unit;
  function fail() {
    throw new Error("no length in: " + text);
  }
  if (clock.length > 1) {
    clock.forEach(function (part) {
      if (clock.length > 3 || !/^[0-9]+$/.test(part)) fail();
      total = total * 60 + parseInt(part, 10);
    });
    return total * 1000 || fail();
  }
  read(text);
  take(" in for about around exactly ");
  while (at < list.length && !take(" from please ")) {
    n = !last && place(" hour minute ", list[at]) >= 0 ? 1 : quantity();
    unit = units[take(unitWords).charAt(0)];
    if (!unit && at < list.length && place(" from please ", list[at]) < 0) fail();
    /* "1h 30" is of the unit below, "and a half" of the last; a number alone is minutes. */
    if (!unit && last && n >= 1) unit = last === units.d ? units.h : last / 60;
    if (!unit) unit = last || (n >= 1 && units.m);
    if (!unit || (last && (unit > last || (unit === last && n >= 1)))) fail();
    total += n * unit;
    last = unit;
    take(" and ");
  }
  take(" now ");
  if (at < list.length || !(total >= 1)) fail();
  return Math.round(total);
};

/*
 * "half past seven pm", and a day that may be said apart, "tomorrow" → {ms: milliseconds since midnight, days: from today,
 * undefined for none; hasPassed: today}. `now`: a Date. Throws where there is no time, a day that is not known, or a time of today that has passed.
 */
exports.when = function (text, day, now) {
  var minute = 0;
  var isEarly, isLate, isNight, isWeek, hasPassed, hour, days;
  function fail(what) {
    throw new Error(what || "no time in: " + text);
  }
  function onDay(n) {
    if (!(n >= 0) || n % 1 || (days !== undefined && days !== n)) fail();
    days = n;
  }
  function named() {
    var name = take(" noon midday midnight ");
    if (name === "midnight") isNight = true;
    return name ? (name === "midnight" ? 24 : 12) : NaN;
  }
  /* Takes what may stand around a time. */
  function around() {
    var n;
    if (take(" this ")) {
      if (place(" morning afternoon evening ", list[at]) >= 0) onDay(0);
    } else if (take(" in ")) {
      if (!take(" the ")) {
        n = quantity();
        onDay(n * (take(" day days ") ? 1 : take(" week weeks ") ? 7 : NaN));
      }
    } else if (take(" am morning ")) isEarly = true;
    else if (take(" pm afternoon evening ")) isLate = true;
    else if (take(" night ")) isNight = true;
    else if (take(" tonight ")) {
      isNight = true;
      onDay(0);
    } else if (take(" today ")) onDay(0);
    else if (take(" tomorrow ")) onDay(1);
    else if (take(" overmorrow ")) onDay(2);
    else if (place(week, list[at]) >= 0) {
      isWeek = true;
      onDay((place(week, list[at++]) - now.getDay() + 7) % 7);
    } else if (!take(fillers)) return;
    around();
  }
  function core() {
    var n, isMinutes, joint;
    take(" a ");
    hour = named();
    if (hour) return;
    n = number();
    isMinutes = take(" min mins minute minutes ");
    joint = take(" past after to before till until of ");
    if (joint || (n === 0.5 && typeof list[at] === "number")) {
      minute = n < 1 ? 60 * n : n;
      if (place(" past after ", joint) < 0 && joint) {
        /* "7 to 8" is two hours. */
        if (n === 0.5 || (minute % 5 && !isMinutes)) fail();
        minute = -minute;
      }
      hour = number() || named();
    } else if (isMinutes || n % 1) fail();
    else if (n > 99) {
      hour = Math.floor(n / 100);
      minute = n % 100;
      take(" hours ");
    } else {
      hour = n;
      n = take(" oh o ");
      if (n || typeof list[at] === "number") minute = number();
      if (n && minute > 9) fail();
      n = hour === 12 && !minute && named();
      if (n) hour = n;
    }
    take(" oclock ");
  }
  read(text.replace(/([0-9])[.:]([0-9][0-9])/g, "$1 $2").replace(/([0-9][0-9])([0-9][0-9])/g, "$1 $2"));
  around();
  core();
  around();
  if (at < list.length) fail();
  read(day || "");
  around();
  if (at < list.length) fail("no day in: " + day);
  if (!(minute > -60 && minute < 60) || (isEarly && (isLate || (hour > 12 && hour < 24)))) fail();
  if (isEarly && hour === 12 && minute >= 0) hour = 0;
  if (isLate && hour > 0 && hour < (minute < 0 ? 13 : 12)) hour += 12;
  /* The night is before midnight from five on, and its hours after are of the next day. */
  if (isNight && !isEarly && !isLate && hour > 4 && hour < 13) hour += 12;
  minute = (hour * 60 + minute + 1440) % 1440;
  if (!(hour >= 0 && hour < 25) || hour % 1 || minute % 1) fail();
  if (isNight && minute < 300 && (days || isWeek)) days++;
  hasPassed = minute <= now.getHours() * 60 + now.getMinutes();
  if (days === 0 && hasPassed) {
    if (isWeek) days = 7;
    else if (!isNight || minute >= 300) fail("passed: " + text);
  }
  return { ms: minute * units.m, days: days, hasPassed: hasPassed };
};
