/**
 * What people ask to be done, and in how many words: the tool says it one way, its description another, the request a
 * third. `~` is the object; what may be said beside it comes last. Within a class no two actions share a way, so that the words decide between neighbours.
 */
export interface Action {
  /** What its objects are: a row of things.ts. */
  class: string;
  /** Verbs that name and describe the tool. */
  verbs: string[];
  /** How it is asked for, the verbs among them. */
  ways: string[];
  /** What may be said beside it: keys of `details`. */
  details: string[];
}

const rows = `
level
increase, raise, turn up, boost: turn ~ up, crank up ~, crank ~ up, bump up ~, push ~ up, bring ~ up, make ~ higher, give me more of ~; percent room
decrease, lower, reduce, turn down: turn ~ down, drop ~, bring ~ down, cut ~, cut back on ~, tone ~ down, take ~ down, make ~ lower; percent room
maximize, max out: turn ~ all the way up, put ~ on full, set ~ to the maximum, as much ~ as possible
minimize, set lowest: turn ~ all the way down, set ~ to the minimum, as little ~ as possible
reset, restore: put ~ back to normal, set ~ back to the default, undo my changes to ~
read, get, tell: what is ~ at, how high is ~, check ~, what is ~ set to, what level is ~ on

power
turn on, switch on, enable, activate, start: turn ~ on, switch ~ on, power up ~, fire up ~, get ~ going, get ~ running, flip on ~, flip ~ on; room clock
turn off, switch off, disable, deactivate, shut off: turn ~ off, switch ~ off, shut ~ off, kill ~, power down ~, shut ~ down, cut the power to ~; room clock
restart, reboot, reset: power cycle ~, turn ~ off and back on, give ~ a fresh start, reboot ~; room
check status, is on: is ~ on, is ~ running, check whether ~ is on, did I leave ~ on, is ~ still going; room
schedule, set timer, program: let ~ come on by itself, have ~ start on its own, put ~ on a timer; clock

opening
open, unseal: open ~ up, pull ~ open, get ~ open, throw ~ open, let some air in through ~; room
close, shut: pull ~ shut, shut ~, get ~ closed, leave ~ closed, seal ~; room
lock, secure, bolt: lock ~ up, bolt ~, make sure nobody gets through ~, make ~ safe; room
unlock, unbolt, release: undo the lock on ~, let them in through ~, take the bolt off ~; room
check, inspect: is ~ open, is ~ closed, check whether ~ is shut, did I leave ~ open; room

sound
mute, silence: quiet ~, hush ~, shut ~ up, put ~ on mute, make ~ silent, quieten ~, cut the sound of ~, no more sound from ~; minutes
unmute, sound on: sound back on for ~, take ~ off mute, let me hear ~ again, end the silence of ~

document
send, mail, dispatch: shoot ~ over, get ~ out, send ~ off, send out ~, pass ~ along; recipient note
delete, erase, remove: get rid of ~, trash ~, throw away ~, bin ~, scrap ~, discard ~, wipe ~; folder
find, search, locate: look for ~, search for ~, dig up ~, where is ~, hunt down ~, hunt for ~; folder
show, open, display: bring up ~, pull up ~, let me see ~, view ~, call up ~, put ~ on the screen, have a look at ~; folder
read aloud, speak, recite: read ~ to me, read ~ out loud, read out ~, what does ~ say, let me hear ~
archive, store, file: keep ~, file ~ away, put ~ away, hold on to ~, back up ~, stash ~; folder
print, print out: put ~ on paper, make a hard copy of ~, run ~ through the printer, I need ~ on paper; copies contact
copy, duplicate, clone: make a copy of ~, copy ~, I need ~ twice, make another one of ~; folder
edit, revise, modify, update: change ~, amend ~, rework ~, make changes to ~, correct ~
sign, put signature: put my signature on ~, put my name under ~, autograph ~; day
rename, retitle: give ~ another name, change the name of ~, call ~ something else; new_name
summarize, condense: sum up ~, give me the gist of ~, boil down ~, shorten ~, what are the main points of ~
create, write, compose, draft: put together ~, draw up ~, make ~, begin writing ~, start ~ from scratch; contact note
download, save offline: get ~ onto my device, load ~ down, make ~ available offline
share, publish: pass ~ around, let the others see ~, make ~ public, post ~ for everyone; recipient app
protect, encrypt: put a password on ~, keep others out of ~, make ~ private

person
call, phone, ring, dial: give ~ a call, give ~ a ring, ring up ~, dial up ~, get ~ on the phone, get me ~ on the line, I need to talk to ~, I want to speak to ~, put me through to ~, buzz ~, make a call to ~, place a call to ~, get ~ on the horn, telephone ~; app clock
text, message, write: send ~ a text, shoot ~ a message, drop ~ a line, write to ~, ping ~, leave ~ a message, let ~ know in writing; app note
video call, video chat: see ~ on video, start a video chat with ~, call ~ with the camera on, talk to ~ face to face; app clock
email, send mail: send ~ an email, write ~ an email, shoot an email to ~, put it in an email to ~; note
block, bar: don't let ~ reach me, stop calls from ~, keep ~ from contacting me, blacklist ~, no more calls from ~
unblock, allow: let ~ reach me again, take ~ off the blacklist, calls from ~ are fine again
invite, ask along: ask ~ to come, have ~ over, ask ~ to join, see if ~ wants to come; day
locate, track: where is ~, find out where ~ is, show ~ on the map, how far away is ~, track down ~
pay, send money: give ~ money, transfer money to ~, wire ~ money, settle up with ~, pay ~ back, reimburse ~; amount
remind, nudge: jog the memory of ~, send ~ a reminder, make sure ~ doesn't forget; clock note
thank, send thanks: tell ~ thank you, say thanks to ~, express my gratitude to ~; reason

event
cancel, call off: call ~ off, drop ~, scratch ~, get me out of ~, I can't make it to ~, ~ isn't happening; day
postpone, delay, push back: push ~ back, put off ~, put ~ off, move ~ to later, defer ~, hold ~ at a later time; new_day
bring forward, move up: bring ~ forward, move ~ up, make ~ earlier, have ~ sooner; new_day
schedule, book, arrange, plan: set up ~, organize ~, pencil in ~, put ~ on the calendar, set a date for ~, put ~ in my diary; day clock
confirm, accept: I'll be at ~, say yes to ~, okay ~, I'm coming to ~, count me in for ~; day
decline, reject, refuse: say no to ~, turn down ~, I'm not coming to ~, count me out of ~, pass on ~; day
join, enter, attend: hop on ~, get me into ~, dial into ~, let me in to ~, jump into ~
start, begin, launch: kick off ~, get ~ going, commence ~, get ~ under way, set ~ in motion; clock
end, finish, conclude: wrap up ~, stop ~, I'm done with ~, that's it for ~, bring ~ to a close
pause, suspend: put ~ on hold, hold ~, take a break from ~, interrupt ~, stop ~ for a moment; minutes
resume, continue: carry on with ~, pick ~ back up, unpause ~, go on with ~, get back to ~
get time, when is: when is ~, what time is ~, when does ~ start, how long until ~, how soon is ~; day
list attendees, who attends: who is coming to ~, who else is at ~, who will be at ~; day

thing
buy, purchase, order: get me ~, shop for ~, I want to buy ~, spend money on ~, I'd like to own ~; amount place
sell, list for sale: put ~ up for sale, find a buyer for ~, get money for ~, turn ~ into cash; amount
clean, wash: scrub ~, give ~ a wash, freshen up ~, get the dirt off ~, make ~ spotless; day
repair, fix, mend: patch up ~, get ~ working again, have ~ repaired, ~ is broken, do something about the damage to ~; day
rent, hire, lease: borrow ~ for money, I need ~ for a few days, take ~ on lease; day
return, give back: bring back ~, take ~ back, send ~ back, hand ~ back, I don't want ~ any more; day
move, relocate, shift: put ~ somewhere else, carry ~ over, get ~ out of the way; place
photograph, snap: take a picture of ~, get a shot of ~, capture ~ with the camera, take a photo of ~; clock
measure, size up: how big is ~, take the measurements of ~, tell me the size of ~
weigh, get weight: how heavy is ~, put ~ on the scale, what does ~ weigh
deliver, bring over: bring ~ round, have ~ brought, get ~ to its address; place day
collect, pick up, fetch: go get ~, grab ~, pick ~ up, come for ~; place clock
throw away, dispose of, discard: throw ~ out, toss ~, dump ~, chuck ~, get ~ taken away
inspect, check, examine: look over ~, take a look at ~, go over ~, see if ~ is all right
insure, cover: get insurance for ~, protect ~ against loss, cover ~ against damage; amount
find, locate: where did I leave ~, I've lost ~, track down ~, where on earth is ~
donate, give away: hand ~ to charity, let someone have ~ for free; day

media
play, put on, start: put ~ on, I want to hear ~, listen to ~, let me hear ~, throw on ~, give us ~; app room
stop, halt, turn off: cut ~, kill ~, enough of ~, end ~, quit ~, no more ~
skip, jump over: move past ~, next one after ~, pass over ~, I don't want ~ now
repeat, loop, replay: play ~ again, keep ~ on a loop, once more ~, ~ from the top, let ~ run over and over; times
like, favorite, love: add ~ to my favorites, give ~ a thumbs up, heart ~, I enjoy ~, ~ is great so remember it
dislike, hate: give ~ a thumbs down, never play ~ again, I can't stand ~, ~ is terrible so remember it
queue, add to queue: line up ~, play ~ next, put ~ in the queue, ~ after this one; app
identify, recognize: what is ~ called, name ~, who sings ~, tell me who made ~
record, capture: make a recording of ~, tape ~, keep a copy of ~ as it plays; minutes

fact
get, tell, show, check: what's ~, tell me ~, give me ~, how is ~, let me know ~, find out ~, what about ~, look up ~; city day
follow, watch, subscribe: keep me posted on ~, notify me about ~, send me updates on ~, alert me to changes in ~, keep an eye on ~; city
unfollow, unsubscribe: stop the updates on ~, no more news about ~, quit telling me about ~
chart, plot, graph: draw ~, show ~ over time, put ~ in a diagram, make a curve of ~; city
predict, forecast, estimate: what will ~ be, guess ~, where is ~ heading, work out what ~ is going to be; city day
compare, contrast: how does ~ measure up, put ~ side by side, set ~ against the usual

task
do, complete, mark done: tick off ~, check off ~, I've finished ~, ~ is done, cross off ~; day
add, create, note: put ~ on my list, I have to see to ~, don't let me forget ~, jot down ~, make a note of ~; day
remove, drop: take ~ off my list, forget about ~, strike ~, ~ is no longer needed
assign, delegate: hand ~ to someone, give ~ to somebody else, let another do ~; recipient
prioritize, mark urgent: ~ comes first, put ~ at the top, ~ can't wait, move ~ to the front
list, show: what is open about ~, where do we stand with ~, how far along is ~`;

const list = (text: string) => text.split(",").map((entry) => entry.trim());

export const actions: Action[] = rows
  .trim()
  .split("\n\n")
  .flatMap((block) => {
    const [kind, ...lines] = block.split("\n");
    return lines.map((line) => {
      const [said, beside = ""] = line.split("; ");
      const [verbs, ways] = said.split(": ").map(list);
      // A verb that names a tool is said too, unless it is no word for a person: "check status".
      const plain = verbs.filter(
        (verb) =>
          !/^(is|who|when|set|get|size|list|ask|put|mark|send (mail|money|thanks)|sound on)\b|(status|aloud|time|chat)$/.test(
            verb,
          ),
      );
      const all = [...plain.map((verb) => `${verb} ~`), ...ways];
      return { class: kind, verbs, ways: [...new Set(all)], details: beside ? beside.split(" ") : [] };
    });
  });

/** The words that a way begins with where it tells somebody to do it: "crank up ~", not "is ~ on". */
export const commands: string[] = [
  ...new Set(actions.flatMap(({ ways }) => ways.map((way) => way.split(" ")[0]))),
].filter(
  (word) =>
    !/^(~|I|I'm|I'll|I've|I'd|as|calls|did|don't|full|how|is|little|more|never|next|no|once|sound|that's|what|what's|when|where|who|enough)$/.test(
      word,
    ),
);

/** Names, slot and description, and how it is said; {x} is the value. */
export const details: Record<string, { takes: string; said: string[] }> = {
  percent: {
    takes: "percent/amount/by/step: percent? By how much, in percent.",
    said: ["by {x} percent", "by {x}%", "{x} percent"],
  },
  room: { takes: "room/area/where/zone: room? Which room. | Where.", said: ["in the {x}"] },
  clock: { takes: "time/at/when: clock? At what time.", said: ["at {x}"] },
  minutes: { takes: "duration/for/how_long: duration? For how long.", said: ["for {x}"] },
  contact: { takes: "person/for/for_whom: first? Whom it is for.", said: ["for {x}"] },
  recipient: { takes: "recipient/to/receiver/person: first? Who gets it.", said: ["to {x}"] },
  folder: { takes: "folder/where/location: folder? Which folder.", said: ["in the folder {x}", "in {x}"] },
  copies: { takes: "copies/count/times: fewInteger? How many copies.", said: ["{x} times"] },
  new_name: { takes: "new_name/name/to: coined? The new name.", said: ["to {x}"] },
  app: {
    takes: "app/service/via/channel: app? Which app to use.",
    said: ["on {x}", "with {x}", "using {x}", "via {x}"],
  },
  note: { takes: "about/subject/topic: topic? What it is about.", said: ["about {x}"] },
  reason: { takes: "reason/for/what_for: item? What for.", said: ["for the {x}"] },
  amount: {
    takes: "amount/sum/price/value: amount? How much money.",
    said: ["{x} dollars", "for {x} dollars", "{x} euros"],
  },
  day: { takes: "date/day/on/when: day? Which day.", said: ["on {x}", "{x}"] },
  new_day: { takes: "new_date/to/date/new_day: day? The new day.", said: ["to {x}", "until {x}"] },
  place: { takes: "place/location/where/at: landmark? Which place.", said: ["at {x}"] },
  times: { takes: "times/count/repeats: fewInteger? How often.", said: ["{x} times"] },
  city: { takes: "city/location/place/where: city? Which city.", said: ["in {x}", "for {x}"] },
};
