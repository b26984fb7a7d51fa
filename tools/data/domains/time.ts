import type { Domain } from "../tool.ts";

export const time: Domain = {
  chat: [
    "my watch is a gift from {relation}", "time flies", "the alarm in the building went off {weekday}", "I hate alarms", "what a long day",
    "timers are useful in the kitchen", "I woke up before the alarm", "who invented the clock", "the clock in the {room} is broken",
  ],
  tools: {
    set_timer: {
      names: "start_timer timer create_timer countdown new_timer", like: "countdown",
      about: "Start a countdown timer. | Count down a length of time, then ring. | Set a timer.",
      takes: {
        "duration/length/how_long/time": 'duration! How long, e.g. "10 minutes". | Length of the timer as spoken. | Duration.',
        "label/name/title/purpose": "purpose? What the timer is for. | Name of the timer.",
      },
      say: [
        "[set|start|make|create|give me] a timer for {duration}", "[set|start] a {duration} timer( for {label})", "{duration} timer(( for) {label})",
        "timer {duration}", "(a) timer for {duration}( please)", "count down {duration}", "[set|start] a {label} timer for {duration}",
        "put {duration} on the clock( for {label})", "start [counting down|a countdown] from {duration}", "time {duration}( for {label})",
        "I need a timer for {duration}", "[buzz|ping|ring|beep] me in {duration}", "timer, {label}, {duration}", "[set|start] a timer", "start a countdown",
        "new timer called {label} for {duration}", "time the {label}, {duration}", "let me know when {duration} [is up|are up|have passed]",
        "set timers for {duration} and {duration'}", "start a {duration} timer and another for {duration'}",
      ],
      hint: [
        "the {label} needs {duration}", "{label} has to come out in {duration}", "I can only rest for {duration}", "the {label} will be done in {duration}",
        "the recipe says {duration}", "don't let this go longer than {duration}",
      ],
    },
    set_timer_minutes: {
      names: "timer_start start_countdown kitchen_timer begin_timer", like: "countdown",
      about: "Start a timer of some hours, minutes and seconds. | Start a countdown.",
      takes: {
        "hours/h": "smallInteger? Hours of the timer. | Number of hours.",
        "minutes/m/mins": "minutes? Minutes of the timer. | Number of minutes.",
        "seconds/s/secs": "seconds? Seconds of the timer. | Number of seconds.",
      },
      say: [
        "[set|start] a timer for {minutes} minutes", "{minutes} minute timer", "timer for {hours} hours( and {minutes} minutes)", "timer {seconds} seconds",
        "[set|start] a {minutes} minute {seconds} second [timer|countdown]", "{hours} hours {minutes} minutes on the timer", "count down {seconds} seconds",
        "put {minutes} minutes on the timer", "set timer to {minutes} min", "{minutes} minutes starting now",
      ],
      hint: ["get me out of here in {minutes} minutes", "I have exactly {minutes} minutes for this"],
    },
    cancel_timer: {
      names: "stop_timer delete_timer clear_timer remove_timer", like: "endtimer",
      about: "Cancel a running timer. | Stop a timer.",
      takes: { "label/name/which": "purpose? Which timer. | Name of the timer." },
      say: [
        "[cancel|stop|delete|clear|kill|end] the timer", "[cancel|stop|delete] [the|my] {label} timer", "turn off the timer", "get rid of the {label} timer",
        "I don't need the( {label}) timer anymore", "timer off", "cancel timer {label}", "forget the {label} timer", "[cancel|stop] the {label} and {label'} timers",
      ],
      hint: ["the {label} is already done, no need to keep counting", "we already ate the {label}, the timer can go"],
    },
    pause_timer: {
      names: "hold_timer timer_pause freeze_timer", about: "Pause a running timer. | Hold the timer; it can be resumed.",
      takes: { "label/name": "purpose? Which timer." },
      say: ["[pause|hold|freeze] the( {label}) timer", "put the( {label}) timer on hold", "timer pause", "pause my timer( for {label})", "stop the {label} timer for a moment"],
      hint: ["the {label} countdown has to wait a bit"],
    },
    resume_timer: {
      names: "continue_timer unpause_timer timer_resume", about: "Resume a paused timer. | Let a paused timer run on.",
      takes: { "label/name": "purpose? Which timer." },
      say: ["[resume|continue|unpause|restart] the( {label}) timer", "let the( {label}) timer run again", "keep the( {label}) timer going", "timer back on"],
    },
    add_timer_time: {
      names: "extend_timer timer_add add_time", about: "Add time to a running timer. | Make a timer longer.",
      takes: { "duration/extra/by": 'duration! Time to add, e.g. "5 minutes".', "label/name": "purpose? Which timer." },
      say: [
        "add {duration} to the( {label}) timer", "extend the( {label}) timer by {duration}", "[give|put] {duration} more [to|on] the( {label}) timer",
        "{duration} more on the( {label}) timer", "make the {label} timer {duration} longer", "add time to the timer",
      ],
      hint: ["the {label} needs {duration} more"],
    },
    get_timer: {
      names: "timer_status check_timer time_left_on_timer timer_remaining", about: "Tell how much time is left on a timer. | Status of a timer.",
      takes: { "label/name": "purpose? Which timer." },
      say: [
        "how [long|much time] is left on the( {label}) timer", "how long until the {label} timer [goes off|rings|ends]", "check the( {label}) timer",
        "time left on( the) {label}( timer)", "what's the timer at", "how's the {label} timer doing", "where is the( {label}) timer at",
      ],
      hint: ["is the {label} almost done"],
    },
    set_alarm: {
      names: "create_alarm add_alarm wake_me_up alarm new_alarm", like: "alarming",
      about: "Set an alarm. | Ring at a time of day. | Create a new alarm.",
      takes: {
        "time/at/ring_at/alarm_time": 'clock! Time of day, e.g. "7 am". | When to ring. | Time.',
        "date/day/on_date": 'day? Day, e.g. "tomorrow". | Which day.',
        "repeat/recurrence/every": 'repeat? How often, e.g. "weekdays".',
        "label/name": "alarmLabel? What the alarm is for.",
      },
      say: [
        "[set|make|create|add] an alarm for {time}( {date})", "wake me( up) at {time}( {date})", "alarm [at|for] {time}", "[set|add] a {time} alarm( for {label})",
        "[set|make] an alarm for {date} at {time}", "wake me( up) {repeat} at {time}", "{time} alarm {date}", "get me up at {time}( for {label})", "I need to be up at {time}( {date})",
        "(please) set my alarm {repeat} for {time}", "set a {label} alarm [at|for] {time}", "ring at {time}( {date})", "I have to get up at {time} {date}", "set an alarm",
        "make sure I'm awake by {time}", "alarm {repeat} {time}( called {label})", "set alarms for {time} and {time'}", "wake me at {time} {date} and {time'} {date'}",
      ],
      hint: ["I can't sleep past {time}( {date})", "I must not miss {label} at {time}", "my {label} is at {time}, don't let me oversleep"],
    },
    cancel_alarm: {
      names: "delete_alarm remove_alarm turn_off_alarm clear_alarm", about: "Delete an alarm. | Turn an alarm off.", like: "endalarm",
      takes: { "time/which/at": "clock? Time of the alarm. | Which alarm.", "label/name": "alarmLabel? What the alarm was for." },
      say: [
        "[cancel|delete|remove|turn off|clear] [my|the] {time} alarm", "[cancel|turn off] the alarm( for {time})", "no alarm at {time}", "remove the {label} alarm", "delete the alarm called {label}",
        "I don't need the {time} alarm", "kill the alarm", "switch my {label} alarm off", "[cancel|delete] the {time} and {time'} alarms",
      ],
      hint: ["I don't have to get up at {time} after all", "{label} is called off, no need to wake me"],
    },
    snooze_alarm: {
      names: "snooze postpone_alarm alarm_snooze", about: "Snooze the ringing alarm. | Ring again later.",
      takes: { "duration/for/minutes": 'duration? How long, e.g. "5 minutes".' },
      say: ["snooze( for {duration})", "snooze the alarm( for {duration})", "{duration} more( please)", "wake me again in {duration}", "let me sleep {duration} more", "hit snooze", "ring again in {duration}"],
      hint: ["too early, I want {duration} more in bed"],
    },
    list_alarms: {
      names: "show_alarms get_alarms alarms", about: "List the alarms that are set. | Show all alarms.",
      takes: { "date/day": "day? Only alarms of this day." },
      say: ["[what|which] alarms [do I have|are set]( for {date})", "[show|list|read]( me) my alarms( for {date})", "do I have an alarm( set)( for {date})", "when is my alarm set for", "my alarms", "are there any alarms {date}"],
    },
    start_stopwatch: {
      names: "stopwatch begin_stopwatch stopwatch_start", about: "Start the stopwatch. | Count up from zero.",
      say: ["[start|begin|run] the stopwatch", "stopwatch", "start [timing|counting up]", "time this", "time me", "start the clock", "stopwatch go"],
      hint: ["let's see how long this takes"],
    },
    stop_stopwatch: {
      names: "end_stopwatch stopwatch_stop", about: "Stop the stopwatch.",
      say: ["[stop|end|halt] the stopwatch", "stop timing", "stopwatch stop", "stop the clock"],
    },
    lap: { names: "record_lap stopwatch_lap split", about: "Record a lap on the stopwatch.", say: ["lap", "[mark|record|take] a lap", "next lap", "split", "new lap"] },
    get_time: {
      names: "current_time what_time time world_clock", about: "Tell the current time. | Current time here or in a city.",
      takes: { "city/location/place": "city? City or place. | Where." },
      say: ["what time is it( in {city})", "(the) time( in {city})", "(what's the) current time in {city}", "tell me the time( in {city})", "what's the time( in {city})", "time check", "how late is it( in {city})", "what time do they have in {city}"],
      hint: ["is it too late to call someone in {city}", "are people awake in {city} right now"],
    },
    get_date: {
      names: "current_date today date what_day", about: "Tell today's date or the date of a day. | Which date it is.",
      takes: { "day/of": "day? Day to look up." },
      say: ["what's the date( {day})", "what day is it", "today's date", "which date is {day}", "what date is {day}", "what day of the week is it"],
    },
    set_reminder: {
      names: "create_reminder remind_me add_reminder reminder new_reminder", like: "remembering",
      about: "Set a reminder. | Remind the user of something at some time. | Create a reminder.",
      takes: {
        "text/todo/what/task/content": "errand! What to be reminded of. | Text of the reminder. | What to do.",
        "when/time/date_time/at": 'when? When, as spoken, e.g. "tomorrow at 9". | Date and time.',
        "repeat/recurrence": "repeat? How often.",
        "place/location/where": "place? Where to be reminded.",
      },
      say: [
        "remind me to {text}", "remind me to {text} {when}", "remind me {when} to {text}", "[set|create|add|make] a reminder to {text}( {when})", "don't let me forget to {text}",
        "{when} remind me to {text}", "reminder: {text}", "remind me {repeat} to {text}", "remind me to {text} when I get to {place}", "set a reminder for {when} to {text}", "I need to remember to {text}( {when})",
        "ping me {when} to {text}", "nudge me to {text} {when}", "set a reminder", "when I'm at {place} remind me to {text}", "remind me to {text} and to {text'}",
      ],
      hint: ["I always forget to {text}", "I really must {text} {when}, help me not to forget", "I have to {text} {when} or I'm in trouble"],
    },
    list_reminders: {
      names: "show_reminders get_reminders read_reminders", about: "List reminders. | Show open reminders.", takes: { "date/day/when": "day? Only for this day." },
      say: ["[show|list|read]( me) my reminders( for {date})", "what reminders do I have( {date})", "what did I want to be reminded of( {date})", "any reminders( {date})", "my reminders( {date})"],
    },
    cancel_reminder: {
      names: "delete_reminder remove_reminder clear_reminder", about: "Delete a reminder.", takes: { "text/which/todo": "errand! Which reminder. | What it is about." },
      say: ["[cancel|delete|remove] the reminder to {text}", "don't remind me to {text}( anymore)", "I no longer need to be reminded to {text}", "delete the reminder"],
      hint: ["I already did {text}, scratch it"],
    },
    count_days: {
      names: "days_until time_until countdown_to_date", about: "Count the days until a date. | How long until a day.", takes: { "date/day/until": "day! The date." },
      say: ["how [many days|long] [until|till|before] {date}", "days [until|to] {date}", "count the days to {date}", "how far away is {date}"],
    },
  },
};
