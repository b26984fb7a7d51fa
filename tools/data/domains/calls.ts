import type { Domain } from "../tool.ts";

export const calls: Domain = {
  chat: ["{first} called me a genius", "we had a close call yesterday", "I phoned {relation} this morning", "my phone bill is too high", "the call of the wild is a good book", "call it a day", "I don't like phone calls"],
  tools: {
    make_call: {
      names: "call phone dial start_call phone_call", like: "calling", about: "Call someone. | Make a phone call. | Call a contact.",
      takes: { "contact/person/who/name": "contact! Who to call. | Name of the contact.", "line/phone_type": "<mobile|work|home>? Which of their numbers.", "speaker/on_speaker": "flag? Whether to use the speaker." },
      say: [
        "call {contact}", "phone {contact}", "ring {contact}", "give {contact} a [call|ring]", "dial {contact}", "get {contact} on the [phone|line]", "call {contact} on [their|his|her] {line}( phone)", "call {contact} at {line}", "I want to [talk|speak] to {contact}",
        "call {contact} on speaker{speaker=true}", "make a call to {contact}", "start a call with {contact}", "place a call to {contact}", "can I talk to {contact}", "make a call", "connect me with {contact}", "get me {contact}", "call {contact} and then {contact'}",
      ],
      hint: ["I need to hear {contact}'s voice", "I have to speak with {contact} about something", "{contact} asked me to ring back"],
    },
    dial_number: {
      names: "call_number dial phone_number", like: "calling", about: "Call a phone number. | Dial a number.", takes: { "number/phone_number/phone": "phone! Phone number, as spoken. | The number." },
      say: ["call {number}", "dial {number}", "phone (the number) {number}", "ring {number}", "make a call to {number}", "call the number {number}", "dial a number"],
    },
    video_call: {
      names: "start_video_call facetime video_chat", about: "Start a video call. | Video call a contact.", takes: { "contact/person/with": "contact! Who to call." },
      say: ["video call {contact}", "[start|make] a video [call|chat] with {contact}", "facetime {contact}", "call {contact} [with|on] video", "I want to see {contact}", "start a video call"],
      hint: ["I'd love to see {contact}'s face"],
    },
    answer_call: {
      names: "accept_call pick_up take_call", about: "Answer the incoming call. | Accept the call that is ringing.", takes: { "speaker/on_speaker": "flag? Whether to use the speaker." },
      say: ["[answer|accept|take|pick up|get]( the| this) call", "pick up", "answer( it)( the phone)", "answer on speaker{speaker=true}", "take it", "put them through", "say hello"],
      hint: ["I want to talk to whoever is ringing"],
    },
    decline_call: {
      names: "reject_call ignore_call refuse_call", about: "Decline the incoming call. | Reject the call, with a message if wanted.", takes: { "message/text/reply": "message? Text to send to the caller." },
      say: ["[decline|reject|ignore|refuse]( the| this) call", "don't pick up", "send [them|it] to voicemail", "decline and say {message}", "reject the call with {message}", "ignore it", "not now, decline"],
      hint: ["I can't talk to them now"],
    },
    end_call: { names: "hang_up stop_call finish_call", about: "End the current call. | Hang up.", say: ["hang up", "[end|stop|finish]( the| this) call", "put the phone down", "end it", "disconnect( the call)", "I'm done talking, hang up"] },
    mute_call: {
      names: "mute_microphone mute_mic call_mute", about: "Mute or unmute the microphone in a call.", takes: { "muted/mute/enabled": "flag! Whether the microphone is muted." },
      say: ["mute( me| myself| my mic| the microphone){muted=true}", "unmute( me| myself| my mic){muted=false}", "turn my mic off{muted=true}", "turn the microphone back on{muted=false}", "mute the call{muted=true}"],
      hint: ["they shouldn't hear me right now{muted=true}"],
    },
    redial: { names: "call_back_last last_number call_again", about: "Call the last number again. | Redial.", say: ["redial", "call [them|that number] [back|again]", "call the last number( again)", "try that number again", "dial again"] },
    call_emergency: {
      names: "emergency_call sos emergency_sos", about: "Call emergency services. | Start an emergency call.", takes: { "service/kind": "<police|ambulance|fire=fire department/fire brigade>? Which service." },
      say: ["call( an| the) {service}", "emergency", "I need( an| the) {service}", "call for help", "SOS", "get me( an| the) {service} now", "emergency call"], hint: ["someone is hurt, quick", "there's a fire in the building{service=fire}", "he's not breathing{service=ambulance}"],
    },
    read_voicemail: {
      names: "play_voicemail check_voicemail voicemail", about: "Play voicemail messages.", takes: { "caller/from": "contact? Only from this caller." },
      say: ["[play|check|read|listen to] my voicemail", "any voicemail( from {caller})", "play the voicemail from {caller}", "did {caller} leave a message", "voicemail"],
    },
    recent_calls: {
      names: "call_history missed_calls call_log", about: "Show recent or missed calls.", takes: { "kind/type": "<missed|incoming|outgoing>? Which calls." },
      say: ["[show|list]( me)( my) {kind} calls", "any {kind} calls", "who called( me)", "call history", "recent calls", "did I miss a call{kind=missed}", "who tried to reach me{kind=missed}"],
    },
    add_contact: {
      names: "create_contact save_contact new_contact", about: "Add a contact to the address book.", takes: { "name/person": "person! Name.", "number/phone": "phone! Phone number." },
      say: ["[add|save] {name} to my contacts( with)( the) number {number}", "[new|create a] contact {name}, {number}", "save {number} as {name}", "{name}'s number is {number}, save it", "add {name} to my contacts"],
    },
    find_contact: {
      names: "get_contact contact_info lookup_contact", about: "Look up details of a contact.", takes: { "name/contact/person": "person! Whose.", "detail/field": "<phone=phone number|email=email address|address|birthday>? Which detail." },
      say: ["what's {name}'s {detail}", "find {name}'s {detail}", "look up {name}( in my contacts)", "show me the contact of {name}", "{detail} of {name}", "when is {name}'s birthday{detail=birthday}", "where does {name} live{detail=address}", "do I have {name}'s {detail}"],
    },
  },
};
