import type { Domain, ToolSource } from "../tool.ts";

/** Preferences, each in other words: what it is called, what it may be set to, how it is asked for. */
const rows = `
language: system language, tongue, speech language, interface language; language
voice: speaking voice, assistant voice, voice of the assistant; <female=female/a woman|male=male/a man|robot=robotic/robot|child>
accent: dialect, way of speaking, pronunciation; <british=British|american=American|australian=Australian|indian=Indian>
units: measurement system, measuring units, system of measures; <metric=metric/metres|imperial=imperial/feet>
temperature_scale: temperature unit, unit of temperature, degrees scale; <celsius=Celsius/celsius|fahrenheit=Fahrenheit/fahrenheit>
nickname: user name, display name, name you call me by; first
wake_word: hot word, activation word, trigger word, assistant name; coined
theme: color scheme, look, skin, appearance; color
wallpaper: background, backdrop, home screen picture, background image; subject
ringtone: ring tone, ring sound, phone tune, call sound; song
alarm_sound: alarm tone, wake up sound, alarm tune; song
time_zone: clock region, zone of the clock, timezone; city
currency: default currency, money unit, pricing currency; currencyName
home_city: home town, default city, town I live in; city
font: typeface, lettering, letter style; coined
keyboard: keyboard layout, key layout, typing layout; language
passcode: PIN, unlock code, password, secret code; code
contact_email: mail address, email address, address for mail; email
callback_number: phone number, contact number, number to reach me; phone
music_app: default player, music player, music provider; service
emergency_contact: contact for emergencies, person to call in an emergency, ICE contact; person
avatar: profile picture, icon, profile animal; animal
greeting: welcome message, hello message, opening line; phrase
subtitle_language: language of the captions, caption language; language
workday_start: start of the working day, time I begin work, office hours start; clock
bedtime_reminder: bedtime, sleep time, hour to go to bed; clock
home_address: street address, address at home, home location; address
delivery_day: day for deliveries, delivery weekday, day of delivery; weekday
favorite_team: team I follow, favourite club, club to follow; plural
news_topic: news subject, topic of the news, kind of news; newsTopic`;

function toolsOf(row: string): [string, ToolSource][] {
  const [names, slot] = row.split("; ");
  const [id, rest] = names.split(": ");
  const plain = id.replaceAll("_", " ");
  const words = `[${[plain, ...rest.split(", ")].join("|")}]`;
  const keys = [plain, ...rest.split(", ")].map((word) => word.toLowerCase().replaceAll(" ", "_"));
  const [first, second = first] = keys;
  const value = `value/new_value/${first}/${second}/to/option`;
  const like = id === "language" ? "set_language" : `setting_${id}`;
  return [
    [
      `set_${id}`,
      {
        names: `change_${first} update_${second} switch_${first} choose_${second} ${first} ${second}_setting`,
        like: `${like} setting_set_${id}`,
        about: `Change the ${plain}. | Set the ${second.replaceAll("_", " ")}. | Choose another ${plain}.`,
        takes: { [value]: `${slot}! What to set it to. | The new ${plain}. | New value.` },
        say: [
          `[change|set|switch|update] [the|my] ${words} to {value}`,
          `[set|change] [the|my] ${words} setting to {value}`,
          `make {value} [my|the] ${words}`,
          `use {value} [as|for] [the|my] ${words}`,
          `I [want|would like|prefer] {value} as my ${words}`,
          `I [want|would like] my ${words} to be {value}`,
          `my ${words} [should be|is now|has to be] {value}`,
          `let's go with {value} for the ${words}`,
          `put the ${words} on {value}`,
          `[choose|pick|select] {value} [as|for] [my|the] ${words}`,
          `${words} {value}`,
          `can we have {value} as the ${words}`,
          `the ${words} is wrong, make it {value}`,
          `I don't like this ${words}, take {value}`,
        ],
        hint: [`from now on it's {value} for the ${words}`],
      },
    ],
    [
      `get_${id}`,
      {
        names: `show_${first} read_${second} current_${first} which_${second}`,
        like: `setting_get_${id}`,
        about: `Tell the ${plain} in use. | Show which ${plain} is set.`,
        say: [
          `[what is|what's|tell me|show me|read me] [my|the] ${words}`,
          `which ${words} [is set|do I have|is in use|did I choose]`,
          `what ${words} do you have for me`,
          `[check|look up] [my|the] ${words}`,
          `I forgot my ${words}, what is it`,
        ],
      },
    ],
    [
      `reset_${id}`,
      {
        names: `restore_${first} clear_${second} default_${first} undo_${second}`,
        like: `setting_reset_${id}`,
        about: `Put the ${plain} back to what it was at first. | Reset the ${second.replaceAll("_", " ")}.`,
        say: [
          `[reset|restore|clear] [my|the] ${words}`,
          `[put|set] [my|the] ${words} back to [normal|default|how it was]`,
          `[go|change] back to the [standard|original|usual] ${words}`,
          `undo what I did to the ${words}`,
          `I want the original ${words} back`,
        ],
      },
    ],
  ];
}

export const settings: Domain = {
  chat: [
    "my settings are a mess",
    "I like the old theme better",
    "who chose this ringtone",
    "{language} is a hard language",
    "{city} is in another time zone",
    "the font on that poster was awful",
  ],
  tools: Object.fromEntries(rows.trim().split("\n").flatMap(toolsOf)),
};
