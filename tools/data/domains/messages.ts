import type { Domain } from "../tool.ts";

export const messages: Domain = {
  chat: [
    "{first} never answers messages", "I got a lovely letter from {relation}", "texting while driving is dangerous", "nobody writes letters anymore", "the message of the film was clear",
    "{first} told me about {city}", "spam is annoying", "what does SMS stand for",
  ],
  tools: {
    send_message: {
      names: "send_text text_message message sms text", like: "messaging",
      about: "Send a text message. | Text someone. | Send a message to a contact.",
      takes: {
        "recipient/to/contact/person": "contact! Who to send it to. | Recipient. | Name of the contact.",
        "text/body/message/content": "message! Message text. | What to say.",
        "app/service/via": "<whatsapp=WhatsApp|signal=Signal|telegram=Telegram|sms=SMS>? Which app to use.",
      },
      say: [
        "text {recipient} {text}", "text {recipient} that {text}", "send {recipient} a (text )message saying {text}", "message {recipient}: {text}", "tell {recipient} {text}", "tell {recipient} that {text}",
        "send a [text|message] to {recipient} saying {text}", "let {recipient} know {text}", "let {recipient} know that {text}", "send {text} to {recipient}", "write( to) {recipient} {text}", "{text}, send that to {recipient}",
        "shoot {recipient} a text saying {text}", "drop {recipient} a line: {text}", "send {recipient} a {app} message saying {text}", "send {text} to {recipient} [on|via|over] {app}", "{app} {recipient} {text}",
        "say {text} to {recipient} in a text", "text {recipient}", "send a message", "message for {recipient}: {text}", "inform {recipient} that {text}", "text {recipient} {text} and {recipient'} {text'}", "text {recipient} and {recipient'} {text}",
      ],
      hint: ["{recipient} should know that {text}", "{recipient} is waiting to hear: {text}", "could {recipient} be told that {text}"],
    },
    reply_message: {
      names: "reply respond answer_message quick_reply", like: "messaging", about: "Reply to the last message. | Answer the current message.",
      takes: { "text/body/reply": "message! Text of the reply. | What to answer.", "sender/to/from": "contact? Whose message." },
      say: ["reply( with)( saying) {text}", "answer {text}", "respond with {text}", "write back {text}", "reply to {sender}( saying) {text}", "answer {sender} with {text}", "say back {text}", "tell them {text}", "reply to {sender}"],
    },
    read_messages: {
      names: "check_messages get_messages unread_messages read_texts", about: "Read new messages aloud. | Show messages. | Read out recent texts.",
      takes: { "sender/from/contact": "contact? Only from this person.", "count/limit/how_many": "smallInteger? How many messages." },
      say: [
        "read( me) my messages", "any (new )messages( from {sender})", "what did {sender} [say|write|text]", "read the [last|latest] {count} messages", "[check|read|show] (my )messages from {sender}", "did {sender} text( me)", "read my texts",
        "do I have any unread messages", "what was the last message from {sender}", "open my messages", "last {count} texts from {sender}",
      ],
      hint: ["has {sender} gotten back to me", "my watch buzzed, was that {sender}"],
    },
    delete_message: {
      names: "remove_message delete_conversation clear_messages", about: "Delete messages of a contact. | Delete a conversation.", takes: { "contact/sender/with": "contact! Whose messages." },
      say: ["delete the [messages|texts|conversation|chat] [from|with] {contact}", "[remove|erase] my chat with {contact}", "clear the messages from {contact}", "delete that conversation"],
    },
    send_email: {
      names: "email compose_email write_email mail new_email", about: "Send an email. | Write and send an email to someone.", like: "emailing",
      takes: {
        "to/recipient/address": "email! Email address of the recipient. | Recipient's address.", "subject/title": "event? Subject line. | What it is about.", "body/text/content": "message? Text of the email.",
      },
      say: [
        "email {to}( saying) {body}", "send an email to {to}( about {subject})", "write an email to {to} with the subject {subject}", "send {to} an email that says {body}", "compose a mail to {to}, subject {subject}, {body}",
        "new email to {to} about {subject} saying {body}", "mail {to}: {body}", "email {to} about {subject}", "send an email", "email {to} and {to'} that {body}",
      ],
    },
    email_contact: {
      names: "send_mail_to_contact mail_person email_person", about: "Email a person from the address book. | Send an email to a contact.", like: "emailing",
      takes: { "contact/to/recipient": "contact! Who to write to.", "body/text/message": "message? What to write.", "subject/about": "event? Subject." },
      say: ["email {contact}( and say| saying| that) {body}", "send {contact} an email about {subject}", "write {contact} an email( saying {body})", "shoot {contact} an email about {subject}", "drop {contact} an email: {body}", "compose an email to {contact}"],
    },
    check_email: {
      names: "read_email get_emails inbox", about: "Check for new emails. | Look for emails.", takes: { "sender/from": "contact? Only from this sender.", "subject/about": "event? Only about this." },
      say: ["[check|read|open|show] my [email|inbox|mail|emails]", "any (new )emails( from {sender})", "do I have mail from {sender}", "did {sender} email me( about {subject})", "find the email about {subject}", "what's in my inbox", "read the latest email from {sender}"],
    },
    read_notifications: {
      names: "notifications get_notifications show_notifications check_notifications", about: "Read new notifications aloud. | Show notifications.", takes: { "app/from_app/source": "app? Only from this app. | Which app." },
      say: [
        "[read|show|check]( me)( my) notifications", "what did I miss", "any (new )notifications( from {app})", "what's new [on|in] {app}", "read notifications from {app}", "what just buzzed", "why did my watch buzz", "notifications",
        "show the last notification", "what was that notification", "{app} notifications", "anything new( from {app})", "catch me up", "read what came in",
      ],
      hint: ["something just vibrated on my wrist", "I felt a buzz, what was it"],
    },
    clear_notifications: {
      names: "dismiss_notifications delete_notifications dismiss_all", about: "Dismiss notifications. | Clear all notifications.", takes: { "app/from_app": "app? Only of this app." },
      say: ["[clear|dismiss|delete|remove]( all)( my) notifications", "[clear|dismiss] (the )notifications from {app}", "get rid of these notifications", "swipe away everything( from {app})", "mark all notifications as read", "dismiss everything"],
      hint: ["my notification list is a mess, empty it"],
    },
    mute_notifications: {
      names: "silence_app mute_app block_notifications pause_notifications", about: "Mute the notifications of an app. | Silence an app for a while.",
      takes: { "app/source": "app! Which app.", "duration/for": "duration? For how long." },
      say: ["[mute|silence|block] {app}( notifications)( for {duration})", "stop notifications from {app}( for {duration})", "no more {app} notifications", "don't show me {app} notifications( for {duration})", "pause {app} alerts for {duration}", "mute notifications", "mute {app} and {app'}"],
      hint: ["{app} keeps bothering me", "{app} has been buzzing all day, make it stop"],
    },
    post_status: {
      names: "post share_status update_status publish", about: "Post a status on a social network.", takes: { "text/status": "message! Text to post.", "network/platform": "<mastodon=Mastodon|facebook=Facebook|bluesky=Bluesky|instagram=Instagram>? Where to post." },
      say: ["post {text} [on|to] {network}", "update my {network} status to {text}", "share {text} on {network}", "post {text}", "publish {text} on {network}"],
    },
    send_location: {
      names: "share_location send_my_location share_position", about: "Share the current location with someone.", takes: { "contact/with/recipient": "contact! Who gets it.", "duration/for": "duration? For how long." },
      say: ["[share|send] my location [with|to] {contact}( for {duration})", "let {contact} see where I am( for {duration})", "send {contact} my location", "show {contact} where I am", "share my location"],
      hint: ["{contact} is looking for me", "{contact} wants to know where I am"],
    },
  },
};
