import type { Domain } from "../tool.ts";

export const vehicle: Domain = {
  chat: [
    "my first car was {color}",
    "{first} drives too fast",
    "gas is expensive",
    "cars are loud",
    "I washed the car {weekday}",
    "electric cars are quiet",
    "the car in front is blocking us",
    "{company} builds cars too",
  ],
  tools: {
    get_fuel: {
      names: "fuel_level car_battery range check_gas fuel",
      about: "Tell the fuel or charge level of the car.",
      say: [
        "how much [fuel|gas|charge|range] [is left|do I have]",
        "[check|what's] [the|my] [fuel|gas|fuel level|range]",
        "fuel level",
        "how far can I [drive|go]( on this tank)",
        "how full is the tank",
        "is the car charged",
      ],
      hint: ["will I make it home without refueling"],
    },
    tire_pressure: {
      names: "check_tires tyre_pressure get_tire_pressure",
      about: "Tell the tire pressure.",
      takes: { "wheel/which": "<front_left|front_right|rear_left|rear_right>? Which wheel." },
      say: [
        "[check|what's] [the|my] tire pressure",
        "how['s| is] the pressure [in|of] the {wheel}( tire| wheel)",
        "tire pressure( {wheel})",
        "do my tires need air",
        "{wheel} tire",
      ],
    },
    start_car: {
      names: "remote_start start_engine engine_start",
      about: "Start the car remotely.",
      takes: { "minutes/for": "minutes? For how many minutes." },
      say: [
        "start [the|my] [car|engine]( for {minutes} minutes)",
        "turn on the [car|engine]",
        "remote start( for {minutes} minutes)",
        "get the engine running",
        "fire up the car",
      ],
    },
    stop_car: {
      names: "stop_engine engine_off",
      about: "Stop the engine.",
      say: ["[stop|turn off|kill|switch off] the [engine|car]", "engine off"],
    },
    lock_car: {
      names: "car_lock lock_vehicle secure_car",
      about: "Lock or unlock the car.",
      like: "locking",
      takes: { "action/state": "<lock|unlock>! Lock or unlock." },
      say: ["{action} [the|my] car", "{action} the car doors", "(please) {action} my vehicle"],
      hint: ["I think I left the car open{action=lock}"],
    },
    car_climate: {
      names: "climate_control ac preheat_car car_temperature",
      about: "Set the temperature in the car.",
      takes: { "temperature/degrees": "degrees! Degrees.", "seat/zone": "<driver|passenger|rear|all>? Which seat." },
      say: [
        "[set|heat|cool] the car to {temperature}( degrees)",
        "car [temperature|climate] {temperature}",
        "make it {temperature} degrees in the car",
        "{temperature} degrees for the {seat}( seat)",
        "set the {seat} side to {temperature}( degrees)",
        "set the car climate",
      ],
    },
    seat_heating: {
      names: "heated_seat seat_warmer set_seat_heat",
      about: "Set the seat heating.",
      takes: {
        "seat/which": "<driver|passenger|rear>! Which seat.",
        "level/strength": "<off|low|medium|high>! Level.",
      },
      say: [
        "[set|turn|put] the {seat} seat [heating|heater|warmer] [to|on] {level}",
        "{seat} seat heating {level}",
        "heat the {seat} seat on {level}",
        "turn the {seat} seat heating off{level=off}",
      ],
    },
    car_window: {
      names: "windows roll_window set_window",
      about: "Open or close car windows.",
      takes: {
        "action/position": "<open=open/roll down|close=close/roll up>! Open or close.",
        "window/which": "<driver|passenger|rear|all>? Which window.",
      },
      say: [
        "{action} the( {window}) window(s)",
        "{action} all windows{window=all}",
        "crack the {window} window{action=open}",
        "{window} window {action}",
      ],
      hint: [
        "it stinks in this car{action=open}",
        "it started to rain and the car's outside with open windows{action=close}",
      ],
    },
    wipers: {
      names: "windshield_wipers set_wipers",
      about: "Set the windshield wipers.",
      takes: { "speed/level": "<off|slow|fast|auto>! Speed." },
      say: ["[turn|set|put]( the) wipers( to| on) {speed}", "wipers {speed}", "{speed} wipers"],
    },
    cruise_control: {
      names: "set_cruise speed_control",
      about: "Set cruise control.",
      takes: { "speed/mph": "integer! Speed." },
      say: [
        "(set )cruise( control)( at| to) {speed}",
        "hold {speed}( miles per hour)",
        "keep the speed at {speed}",
        "cruise at {speed}",
        "set cruise control",
      ],
    },
    start_charging: {
      names: "charge_car ev_charge begin_charging",
      about: "Start charging the car.",
      takes: { "limit/percent/to": "percent? Up to how many percent.", "time/at": "clock? When." },
      say: [
        "[start|begin] charging( the car)( to {limit}( percent))( at {time})",
        "charge the car( to {limit}( percent))( at {time})",
        "plug in charging( at {time})",
        "charge up to {limit} percent",
      ],
    },
    open_trunk: {
      names: "trunk tailgate open_boot",
      about: "Open or close the trunk.",
      takes: { action: "<open|close>! Open or close." },
      say: [
        "{action} the [trunk|boot|tailgate]",
        "pop the trunk{action=open}",
        "shut the [trunk|boot]{action=close}",
        "[trunk|boot] {action}",
      ],
      hint: ["my arms are full of groceries and I'm behind the car{action=open}"],
    },
    honk: {
      names: "horn flash_lights find_by_horn",
      about: "Honk the horn.",
      say: ["honk( the horn)", "beep the horn", "make the car honk", "sound the horn"],
    },
    car_service: {
      names: "schedule_service book_maintenance maintenance",
      about: "Book a car service.",
      takes: {
        "kind/what":
          "<oil_change=oil change|tires=tire change|inspection|brakes=brake check|battery=battery check>! Which service.",
        "date/day": "day? When.",
      },
      say: [
        "[book|schedule] a {kind} for my car( {date}| on {date})",
        "my car needs [a|an] {kind}( {date})",
        "{kind} for the car {date}",
        "book a car service",
      ],
    },
    log_trip: {
      names: "start_trip_log trip mileage",
      about: "Log a trip with its distance.",
      takes: { "distance/miles/km": "distance! How far.", "purpose/kind": "<business|private|commute>? Purpose." },
      say: [
        "log a {distance} [mile|kilometer]( {purpose}) trip",
        "I drove {distance} [miles|kilometers]( for {purpose})",
        "trip of {distance}( miles)(, {purpose})",
        "record {distance} {purpose} miles",
        "log a trip",
      ],
    },
  },
};
