import type { Domain } from "../tool.ts";

export const home: Domain = {
  chat: ["the {room} looks great", "we painted the {room} {color}", "I grew up in a small house", "{first} broke the {appliance}", "light travels fast", "my {appliance} is from {country}", "the neighbors have a nice {cover}", "home is where the heart is"],
  tools: {
    set_lights: {
      names: "lights light_power switch_lights toggle_lights control_lights", like: "lighting", about: "Turn lights on or off. | Switch the lights of a room.",
      takes: { "room/area/location/where": "room? Room. | Which room. | Room or area.", "state/power/on": "flag! On or off. | Whether the lights are on." },
      say: [
        "turn {state} the( {room}) lights", "turn the( {room}) lights {state}", "[switch|turn] {state} the light in the {room}", "(the) {room} lights {state}", "lights {state}( in the {room})", "kill the( {room}) lights{state=false}", "light up the {room}{state=true}",
        "hit the lights{state=false}", "lights out( in the {room}){state=false}", "put the {room} light {state}", "switch {state} everything that shines in the {room}", "can I have the lights {state} in the {room}", "turn {state} the lights in the {room} and the {room'}", "turn the {room} lights on{state=true} and the {room'} lights off{state'=false}",
      ],
      hint: ["I can't see anything in the {room}{state=true}", "it's too dark in [here|the {room}]{state=true}", "nobody is in the {room}, save power{state=false}", "we're leaving the {room}{state=false}"],
    },
    set_brightness: {
      names: "dim_lights brightness light_level adjust_light", like: "lighting", about: "Set the brightness of the lights. | Dim the lights to a percentage.", takes: { "level/brightness/percent": "percent! Brightness in percent. | How bright, 0 to 100.", "room/area": "room? Room." },
      say: ["dim the( {room}) lights to {level}( percent|%)", "[set|put] the( {room}) lights [to|at] {level}( percent|%)", "{room} lights at {level} percent", "brightness {level}( percent)( in the {room})", "make the {room} {level} percent bright", "brighten the {room} to {level}( percent)", "dim the lights"],
    },
    set_light_color: {
      names: "light_color color_lights change_color", like: "lighting", about: "Change the color of the lights.", takes: { "color/hue/shade": "color! Color. | Which color.", "room/area": "room? Room." },
      say: ["[make|turn|set] the( {room}) lights( to) {color}", "{color} light(s) in the {room}( please)", "change the( {room}) lights to {color}", "I want {color} light in the {room}", "paint the {room} {color} with light", "set the light color to {color}", "make the {room} {color} and the {room'} {color'}"],
    },
    switch_device: {
      names: "turn_on_off device_power toggle_device set_switch", about: "Turn a device or an appliance on or off. | Switch a plug.", like: "switching", takes: { "device/name/appliance": "appliance! Which device. | Name of the device.", "state/power/on": "flag! On or off.", "room/area": "room? Room." },
      say: ["turn {state} the {device}( in the {room})", "turn the( {room}) {device} {state}", "switch the {device} {state}", "{device} {state}", "power {state} the {device}", "start the {device}{state=true}", "[shut|switch] off the {device}{state=false}", "get the {device} going{state=true}", "unplug the {device}{state=false}", "turn the {device} off{state=false} and the {device'} on{state'=true}"],
      hint: ["I forgot to turn the {device} off{state=false}", "did I leave the {device} on? it should be off{state=false}"],
    },
    set_temperature: {
      names: "thermostat set_thermostat heating climate", about: "Set the thermostat. | Set the target temperature of a room.", like: "climate", takes: { "temperature/degrees/target": "degrees! Degrees. | Target temperature.", "room/area/zone": "room? Room.", "mode": "<heat=heating|cool=cooling|auto>? Heating or cooling." },
      say: ["set the( {room}) [temperature|thermostat|heating] to {temperature}( degrees)", "make it {temperature} degrees( in the {room})", "{temperature} degrees in the {room}( please)", "[heat|warm] the {room} to {temperature}( degrees){mode=heat}", "cool the {room}( down) to {temperature}{mode=cool}", "thermostat {temperature}", "I want it at {temperature} in the {room}", "bring the {room} to {temperature} degrees", "set the thermostat"],
    },
    adjust_temperature: {
      names: "warmer_cooler change_temperature temperature_step", about: "Make it warmer or cooler.", like: "climate", takes: { "direction/change": "<warmer|cooler>! Which way.", "room/area": "room? Room.", "degrees/by": "smallInteger? By how many degrees." },
      say: ["make it {direction}( in the {room})", "(make) the {room} {direction}( by {degrees} degrees)", "{degrees} degrees {direction}( in the {room})", "a bit {direction}( please)", "turn the heat up( by {degrees} degrees)( in the {room}){direction=warmer}", "turn down the heating{direction=cooler}"],
      hint: ["I'm freezing( in the {room}){direction=warmer}", "it's boiling in [here|the {room}]{direction=cooler}", "I'm sweating{direction=cooler}", "my feet are like ice{direction=warmer}"],
    },
    get_room_temperature: { names: "read_temperature indoor_temperature room_climate", about: "Read the temperature of a room.", takes: { "room/area": "room! Which room." }, say: ["how [warm|cold|hot] is [the {room}|it in the {room}]", "what's the temperature in the {room}", "{room} temperature", "temperature of the {room}", "check the temperature"] },
    lock_door: { names: "lock lock_up secure_door", about: "Lock a door.", takes: { "door/which/lock": "door! Which door." }, say: ["lock the {door}", "lock up the {door}", "(please) make sure the {door} is locked", "secure the {door}", "bolt the {door}", "lock the {door} and the {door'}", "lock the door for me"], hint: ["I think I left the {door} unlocked", "nobody should get in through the {door}"] },
    unlock_door: { names: "unlock open_lock", about: "Unlock a door.", takes: { "door/which/lock": "door! Which door." }, say: ["unlock the {door}", "open the lock of the {door}", "let me in through the {door}", "undo the {door} lock", "unlock it"], hint: ["{door} is locked and I have my hands full", "I'm standing outside the {door}"] },
    open_cover: {
      names: "move_cover blinds set_cover open_close", about: "Open or close blinds, curtains or a garage door.", takes: { "cover/what/device": "cover! What to move.", "action/position": "<open=open/raise|close=close/lower|stop>! What to do.", "room/area": "room? Room." },
      say: ["{action} the( {room}) {cover}", "{action} the {cover} in the {room}", "(please) {action} {cover}", "pull the {cover} up{action=open}", "shut the( {room}) {cover}{action=close}", "draw the {cover}{action=close}", "let some air in through the {cover}{action=open}"], hint: ["the sun is blinding me, do something with the {cover}{action=close}"],
    },
    start_vacuum: { names: "vacuum clean_floor robot_vacuum", about: "Start the robot vacuum.", takes: { "room/area": "room? Room to clean." }, say: ["vacuum( the {room})", "[start|run|turn on] the (robot )vacuum( in the {room})", "clean the {room}( floor)", "send the robot to the {room}", "let the vacuum loose", "vacuum the {room} and the {room'}"], hint: ["there are crumbs all over the {room}", "the {room} floor is filthy"] },
    dock_vacuum: { names: "stop_vacuum vacuum_home return_vacuum", about: "Send the robot vacuum to its dock.", say: ["send the vacuum home", "dock the [vacuum|robot]", "stop [vacuuming|the vacuum]", "vacuum back to base", "return the robot to its dock"] },
    set_scene: { names: "activate_scene scene run_scene mood", about: "Activate a scene. | Set the mood at home.", takes: { "scene/name": "scene! Name of the scene." }, say: ["[activate|set|start|run] (the )(scene ){scene}( scene| mode)", "{scene} [mode|scene]", "(it's time for) {scene} scene", "put the house in {scene} mode", "set the mood for {scene}", "switch to the {scene} scene", "activate a scene"] },
    arm_alarm: { names: "security_system set_security house_alarm arm", about: "Arm or disarm the house alarm.", takes: { "mode/state": "<away|home|disarm=off>! Armed away, armed at home, or disarmed.", "code/pin": "code? Code." }, say: ["arm the( house) alarm for {mode}", "set the security system to {mode}( with code {code})", "disarm the alarm( with code {code}){mode=disarm}", "turn the house alarm off( code {code}){mode=disarm}", "security {mode}", "alarm system {mode}"] },
    show_camera_feed: { names: "doorbell camera_feed view_camera who_is_there", about: "Show the picture of a security camera.", takes: { "camera/where": "door! Which camera." }, say: ["show( me) the {camera}( camera)", "who is at the {camera}", "camera feed of the {camera}", "let me see the {camera}", "check the camera at the {camera}", "show me a camera"], hint: ["someone just rang at the {camera}"] },
    water_plants: { names: "irrigation sprinkler start_sprinkler water_garden", about: "Water the garden.", takes: { "zone/area": "<lawn|front_yard|back_yard|greenhouse|vegetables|roses>? Which zone.", "minutes/duration": "minutes? How many minutes." }, say: ["water the {zone}( for {minutes} minutes)", "[run|start|turn on] the sprinklers( [in|on] the {zone})( for {minutes} minutes)", "irrigate the {zone}", "give the {zone} water for {minutes} minutes"], hint: ["the {zone} looks dry"] },
    set_fan: { names: "fan_speed fan ventilation", about: "Set the speed of a fan.", takes: { "speed/level": "<off|low|medium|high>! Speed.", "room/area": "room? Room." }, say: ["set the( {room}) fan to {speed}", "fan {speed}( in the {room})", "put the fan on {speed}", "turn the {room} fan to {speed}", "fan speed {speed}"] },
    announce: { names: "broadcast intercom house_announcement", about: "Announce something on the speakers at home.", takes: { "text/message": "message! What to announce.", "room/where": "room? Where." }, say: ["announce( that) {text}", "broadcast {text}( [in|to] the {room})", "tell everyone {text}", "announce in the {room} that {text}", "say {text} on [all|the] speakers", "tell the {room} {text}"] },
  },
};
