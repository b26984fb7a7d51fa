/* Lengths, times of day and days as people say them. A word that is not known is an error: better no alarm than one at another time. */
var ones =
  " zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen ";
var tens = " zero ten twenty thirty forty fifty sixty seventy eighty ninety ";
var shares = " zero quarter half ";
var units = { s: 1000, m: 60000, h: 3600000, d: 86400000 };
var unitWords = " s sec secs second seconds m min mins minute minutes h hr hrs hour hours d day days ";
var dayWords = " sun sunday mon monday tue tues tuesday wed wednesday thu thur thurs thursday fri friday sat saturday ";
var parts = " am morning pm afternoon evening night tonight ";
var fillers = " of for in the about around at on by exactly from now ";

/* The place of a word in a list, -1 for none. */
function place(list, word) {
  var at = list.indexOf(" " + word + " ");
  return at < 0 ? at : list.substr(0, at + 1).split(" ").length - 2;
}

/* "12", "1.5", "1:30" (one and a half) and words; NaN for what is no number. */
function numberOf(word) {
  var value = NaN;
  if (place(ones, word) >= 0) return place(ones, word);
  if (place(tens, word) > 0) return 10 * place(tens, word);
  if (place(shares, word) > 0) return place(shares, word) / 4;
  if (word === "couple") return 2;
  if (word === "hundred") return 100;
  word.split(":").forEach(function (part, i) {
    var n = /^[0-9.]+$/.test(part) ? parseFloat(part) : NaN;
    value = i ? value * 60 + n : n;
  });
  return word.indexOf(":") < 0 ? value : value / 60;
}

/* Words and numbers, "10min" as two, "twenty five" as one. */
function tokens(text) {
  var list = [];
  var inWords = false;
  text
    .toLowerCase()
    .replace("a.m", "am")
    .replace("p.m", "pm")
    .replace("day after tomorrow", "overmorrow")
    .replace(/([0-9])([a-z])/g, "$1 $2")
    .replace(/([a-z])([0-9])/g, "$1 $2")
    .split(/[ ,-]+/)
    .forEach(function (word) {
      var last = inWords ? list[list.length - 1] : 0;
      var value;
      if (word.substr(-1) === ".") word = word.substr(0, word.length - 1);
      if (!word) return;
      value = word === "quarters" ? 0.25 : numberOf(word);
      inWords = !isNaN(value) && place(unitWords, word) < 0 && !(word.charAt(0) <= "9");
      if (last >= 1 && (word === "hundred" || word === "quarter" || word === "quarters"))
        list[list.length - 1] *= value;
      else if (
        inWords &&
        ((last >= 20 && last % 10 === 0 && value > 0 && value < 10) || (last && last % 100 === 0 && value < 100))
      )
        list[list.length - 1] += value;
      else list.push(isNaN(value) ? word : value);
    });
  return list;
}

/* "an hour and a half" → milliseconds. Throws where there is no length. */
exports.duration = function (text) {
  /* n: what is said of the unit to come. */
  var total = 0;
  var n = 0;
  var isJoined = true;
  var isArticle = false;
  var unit;
  function fail() {
    throw new Error("no length in: " + text);
  }
  tokens(text).forEach(function (token) {
    if (typeof token === "number") {
      if (!isJoined && token >= 1) fail();
      n += token;
      isJoined = false;
    } else if (token === "a" || token === "an") isArticle = true;
    else if (token === "and") isJoined = true;
    else if (place(unitWords, token) >= 0) {
      if (!n && !isArticle && token !== "hour") fail();
      unit = units[token.charAt(0)];
      total += (n || 1) * unit;
      n = 0;
      isJoined = true;
      isArticle = false;
    } else if (place(fillers, token) < 0) fail();
  });
  /* What is left: "and a half" of the last unit, "1h 30" of the one below; a number alone is minutes. */
  if (unit && n >= 1) unit = unit === units.d ? units.h : unit / 60;
  total += n * (unit || units.m);
  if (!(total >= 1)) fail();
  return Math.round(total);
};

/* "half past seven pm" → milliseconds since midnight; `day` may say its part, "tonight". Throws where there is no time of day. */
exports.time = function (text, day) {
  var numbers = [];
  var isPast = 0;
  var isLength = false;
  var part = tokens(day || "").filter(function (token) {
    return place(parts, token) >= 0;
  })[0];
  var hours, minutes;
  function fail() {
    throw new Error("no time in: " + text);
  }
  tokens(text.replace(/([0-9])[.:]([0-9][0-9])/g, "$1 $2")).forEach(function (token) {
    if (typeof token === "number") {
      if (token === 0.5 && !numbers.length) isPast = 1;
      numbers.push(token < 1 ? 60 * token : token);
    } else if (place(" noon midday midnight ", token) >= 0) {
      if (numbers[numbers.length - 1] === 12) numbers.pop();
      numbers.push(token === "midnight" ? 24 : 12);
    } else if (token === "past" || token === "after") isPast = 1;
    else if (place(" to before till til ", token) >= 0) isPast = -1;
    else if (place(" minute minutes hour hours ", token) >= 0) isLength = true;
    else if (place(parts, token) >= 0) part = token;
    else if (place(fillers + "a oh o clock o'clock sharp today tomorrow overmorrow this next" + dayWords, token) < 0)
      fail();
  });
  /* "0730", "nineteen hundred hours" */
  if (numbers[0] > 99) numbers = [Math.floor(numbers[0] / 100), numbers[0] % 100].concat(numbers.slice(1));
  else if (isLength && !isPast) fail();
  hours = numbers[isPast ? 1 : 0];
  minutes = isPast ? isPast * numbers[0] : numbers[1] || 0;
  if (numbers.length > 2 || (hours + minutes) % 1) fail();
  if (part === "am" || part === "morning") hours = hours === 12 ? 0 : hours;
  else if (part === "night" || part === "tonight") hours += hours > 4 && hours < 13 ? 12 : 0;
  else if (part && hours < 12) hours += 12;
  if (!(hours >= 0 && hours < 25 && minutes > -60 && minutes < 60)) fail();
  return ((hours * 60 + minutes + 1440) % 1440) * units.m;
};

/* "tomorrow", "on friday", "in two days" → days from today; of a time undefined for none, of a day for a word that is not known. */
exports.days = function (text, today, isTime) {
  var week = ["su", "mo", "tu", "we", "th", "fr", "sa"];
  var isKnown = true;
  var n, days;
  tokens(text).forEach(function (token) {
    if (typeof token === "number") n = token;
    else if (token === "today" || token === "tonight") days = 0;
    else if (token === "tomorrow") days = 1;
    else if (token === "overmorrow") days = 2;
    else if (token === "day" || token === "days") days = n;
    else if (place(dayWords, token) >= 0) days = ((week.indexOf(token.substr(0, 2)) - today + 6) % 7) + 1;
    else if (place(fillers + parts + "this next ", token) < 0) isKnown = false;
  });
  return isTime || isKnown ? days : undefined;
};
