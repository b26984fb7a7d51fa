/* Lengths and times of day as people say them. */
var words = {
  a: 1,
  an: 1,
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  eleven: 11,
  twelve: 12,
  fifteen: 15,
  twenty: 20,
  thirty: 30,
  forty: 40,
  fifty: 50,
  ninety: 90,
  half: 0.5,
  quarter: 0.25
};
var units = { s: 1000, m: 60000, h: 3600000, d: 86400000 };

/* Words and numbers, "10min" as two. */
function tokens(text) {
  var list = [];
  text
    .toLowerCase()
    .replace("a.m", "am")
    .replace("p.m", "pm")
    .replace(/([0-9])([a-z])/g, "$1 $2")
    .split(/[ ,:-]+/)
    .forEach(function (word) {
      if (word.substr(-1) === ".") word = word.substr(0, word.length - 1);
      if (word) list.push(word);
    });
  return list;
}

/* The number that a token says, or undefined. */
function numberOf(token) {
  var n = parseFloat(token);
  return isNaN(n) ? words[token] : n;
}

/* "an hour and a half" → milliseconds. Throws where there is no length. */
exports.duration = function (text) {
  var total = 0;
  var n = 0;
  var isArticle = true;
  var unit = 0;
  tokens(text).forEach(function (token) {
    var value = numberOf(token);
    if (value === undefined) {
      if (!units[token.charAt(0)] || !n) return;
      unit = units[token.charAt(0)];
      total += n * unit;
      n = 0;
      isArticle = true;
    } else if (token === "a" || token === "an") {
      if (!n) n = 1;
    } else {
      n = isArticle ? value : n + value;
      isArticle = false;
    }
  });
  /* What is left is of the last unit, "and a half"; a number alone is minutes. */
  if (!isArticle) total += n * (unit || units.m);
  if (!(total > 0)) throw new Error("no length in: " + text);
  return Math.round(total);
};

/* "half past seven pm" → milliseconds since midnight. Throws where there is no time of day. */
exports.time = function (text) {
  var numbers = [];
  var isPast = 0;
  var isLate = false;
  var isMorning = false;
  var hours, minutes, first;
  tokens(text).forEach(function (token) {
    var value = numberOf(token);
    if (token === "noon") numbers = [12];
    else if (token === "midnight") numbers = [24];
    else if (token === "past" || token === "after") isPast = 1;
    else if (token === "to" || token === "before") isPast = -1;
    else if (token === "pm" || token === "evening" || token === "afternoon" || token === "tonight") isLate = true;
    else if (token === "am" || token === "morning") isMorning = true;
    else if (value !== undefined && token !== "a" && token !== "an") numbers.push(value < 1 ? 60 * value : value);
  });
  first = numbers[0];
  if (isPast && numbers.length > 1) {
    hours = numbers[1];
    minutes = isPast * first;
  } else {
    hours = first;
    minutes = numbers.length > 1 ? numbers[1] : 0;
    if (minutes > 19 && numbers.length > 2) minutes += numbers[2];
    if (first > 99) {
      hours = Math.floor(first / 100);
      minutes = first % 100;
    }
  }
  if (isLate && hours < 12) hours += 12;
  if (isMorning && hours === 12) hours = 0;
  if (!(hours >= 0 && hours < 25 && minutes > -60 && minutes < 60)) throw new Error("no time in: " + text);
  return ((hours * 60 + minutes + 1440) % 1440) * units.m;
};

/* "tomorrow", "on friday" → days from today; 0 for today and for words that say no day. */
exports.days = function (text, today) {
  var names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
  var days = 0;
  tokens(text).forEach(function (token) {
    var day = names.indexOf(token.substr(0, 3));
    if (token === "tomorrow") days = 1;
    if (day >= 0) days = ((day - today + 6) % 7) + 1;
  });
  return days;
};
