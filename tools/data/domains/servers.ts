import type { Domain } from "../tool.ts";

/** Tools as servers of the Model Context Protocol and web services declare them: prefixed names, long descriptions, many parameters, lists. */
export const servers: Domain = {
  chat: [
    "the server was down all morning",
    "{first} closed my ticket without a word",
    "our tracker is full of old issues",
    "I hate spreadsheets",
    "that channel is far too noisy",
    "who needs so many calendars",
  ],
  tools: {
    calendar_create_event: {
      names: "create_calendar_event calendar_insert events_create gcal_new_event add_event_v2",
      like: "create_event scheduling book_patient schedule_visit",
      about:
        "Creates a new event in the user's primary calendar. | Create an event. Times are as spoken; the server resolves them in the user's time zone. | Schedules a meeting and invites the attendees.",
      takes: {
        "title/summary/name/subject":
          "event! Title of the event as shown in the calendar. | Short summary of the event.",
        "date/start_date/day/start":
          "day? Day on which the event takes place. | Date of the event, in natural language.",
        "start_time/startTime/begin/from_time": "clock? Time at which the event starts. | Start time.",
        "end_time/endTime/finish/to_time":
          "clock? Time at which the event ends; defaults to one hour after the start. | End time.",
        "location/where/place": "landmark? Free-form location of the event. | Where it takes place.",
        "attendees/guests/participants/invitees": "first[]? People to invite. | Names of the attendees.",
        "reminder_minutes/alert/reminder": "minutes? Minutes before the start at which to remind.",
        "visibility/access": "<default|public|private>? Who can see the event.",
        "description/notes/details": "topic? Longer description of the event.",
        "all_day/is_all_day": "truth? Whether the event takes the whole day.",
      },
      say: [
        "[create|add|schedule|put in] an event [called|named|titled] {title}< on {date}| at {start_time}>",
        "[schedule|set up|book] {title}( on {date})( from {start_time} to {end_time})( with {attendees})",
        "[schedule|book] {title} with {attendees}( {date})( at {start_time})",
        "{title} at {location} {date}( from {start_time} until {end_time}), put it in the calendar",
        "[add|create] {title} for {date}( at {start_time}), remind me {reminder_minutes} minutes before",
        "[add|make] a private event {title} {date}{visibility=private}",
        "[add|make] an all day event {title} {date}{all_day=true}",
        "invite {attendees} to {title}( on {date})( at {location})",
        "put {title} in my calendar from {start_time} to {end_time}( {date})",
        "{date} at {start_time} is {title}( with {attendees}), add it",
      ],
    },
    calendar_list_events: {
      names: "list_calendar_events events_list calendar_search get_agenda query_calendar",
      like: "get_events next_event find_events",
      about:
        "Lists events in a range of days, optionally filtered by a search term. | Returns the events of the calendar between two dates. | Search the calendar.",
      takes: {
        "time_min/from/after/start_date": "day? Only events on or after this day. | Start of the range.",
        "end_time_max/until/before/end_date": "day? Only events on or before this day. | End of the range.",
        "query/q/search": "noun? Text that must occur in the event. | Search term.",
        "attendee/with/participant": "first? Only events with this person.",
        "max_results/limit/page_size": "integer? Maximum number of events to return. | How many at most.",
      },
      say: [
        "[list|show] my [events|meetings|appointments]( from {time_min} to {end_time_max})( with {attendee})",
        "what [events|meetings] do I have with {attendee}( {time_min})",
        "[search|go through] my calendar for {query}( until {end_time_max})",
        "what's [on|in] my calendar between {time_min} and {end_time_max}",
        "show the next {max_results} events( with {attendee})",
        "meetings with {attendee} until {end_time_max}",
        "do I meet {attendee} {time_min}",
      ],
    },
    mail_send_message: {
      names: "send_email_message mail_send gmail_compose outlook_send messages_send",
      like: "emailing messaging",
      about:
        "Sends an e-mail on behalf of the user. Recipients are resolved in the address book. | Composes and sends a message. | Send mail to one or more people.",
      takes: {
        "to/recipients/to_recipients": "first[]! People the mail goes to. | List of recipients.",
        "cc/cc_recipients/copy_to": "first[]? People who get a copy. | Recipients in copy.",
        "subject/title/headline": "noun? Subject line. | Subject of the mail.",
        "body/content/text/message": "clause? Body of the mail in plain text. | Content.",
        "importance/priority": "<low|normal|high>? How important the mail is marked.",
      },
      say: [
        "[send|write] [an email|a mail] to {to}( about the {subject})( saying {body}| saying that {body})",
        "[email|mail] {to}( with {cc} in copy)( about the {subject})",
        "[email|mail] {to} that {body}",
        "[email|mail] {to} and cc {cc}",
        "[send|write] {to} an email with the subject {subject}( saying {body})",
        "[send|write] an important email to {to}{importance=high}( saying {body})",
        "tell {to} by mail that {body}",
        "copy {cc} on a mail to {to}( about the {subject})",
      ],
    },
    mail_search_messages: {
      names: "search_mail mailbox_query find_emails messages_list gmail_search",
      like: "check_email read_messages",
      about:
        "Searches the mailbox and returns matching messages, newest first. | Finds mails by sender, subject, label or date. | Query the user's inbox.",
      takes: {
        "from/sender/from_address": "first? Sender of the mail. | Who wrote it.",
        "subject/contains/keywords": "noun? Words in the subject. | What it is about.",
        "label/folder/mailbox": "<inbox|archive|spam|sent|drafts=drafts/draft>? Folder to look in.",
        "newer_than/since/after": "pastDay? Only mails since then. | Earliest date.",
        "unread/is_unread/only_unread": "truth? Only mails that are not read yet.",
        "has_attachment/attachments": "truth? Only mails with an attachment.",
        "max_results/limit/count": "integer? Maximum number of results.",
      },
      say: [
        "[find|search|show]( all)( my)( unread{unread=true}) [mails|emails]( from {from})( about the {subject})( since {newer_than})",
        "[find|show] the [mail|email] {from} sent( me)( about the {subject})( {newer_than})",
        "unread [mail|email]{unread=true} from {from}",
        "[look|search] in {label} for [mails|emails] [from {from}|about the {subject}]",
        "emails with attachments{has_attachment=true} from {from}( since {newer_than})",
        "show the last {max_results} emails( from {from})",
        "did {from} write about the {subject}",
      ],
    },
    tracker_create_issue: {
      names: "create_issue issues_create open_ticket jira_new_issue create_ticket",
      about:
        "Creates an issue in the project tracker. | Open a new ticket with a title, an assignee and labels. | Files a bug or a task.",
      takes: {
        "title/summary/name": "clause! Title of the issue. | One-line summary of the problem.",
        "project/repository/repo/board": "folder? Project the issue belongs to. | Name of the board.",
        "assignee/owner/assigned_to": "first? Person who works on it.",
        "labels/tags": "adjective[]? Labels to attach. | Tags.",
        "priority/severity": "<low|medium|high|urgent>? Priority of the issue.",
        "due_date/deadline/due": "day? Day by which it must be done.",
        "issue_type/type/kind": "<bug|task|story|epic>? Type of the issue.",
      },
      say: [
        "[open|create|file] a {issue_type}( in {project})( for {assignee}) saying( that) {title}",
        "[open|create|file] [a ticket|an issue] that {title}",
        "[open|create|file] an issue( in {project})<( assigned to {assignee})|( due {due_date})>, title {title}",
        "{priority} priority {issue_type}( for {assignee}): {title}",
        "new [ticket|issue] for {assignee}( in {project}): {title}",
        "[file|report] a {priority} priority issue( labeled {labels}), {title}",
        "[open|create] an issue labeled {labels}: {title}",
      ],
    },
    tracker_search_issues: {
      names: "search_issues issues_list list_tickets jira_search find_tickets",
      about:
        "Lists the issues that match all given filters. | Search tickets by status, assignee, label or project. | Returns open issues.",
      takes: {
        "assignee/owner/assigned_to": "first? Only issues of this person. | Who works on it.",
        "reporter/author/created_by": "first? Only issues this person opened. | Who opened it.",
        "status/state": "<open|in_progress=in progress|blocked|closed=closed/done>? Status of the issues.",
        "label/tag": "adjective? Label they carry.",
        "project/repository/board": "folder? Project to search.",
      },
      say: [
        "[list|show|find]( all)( the) {status} [issues|tickets]( of {assignee}| assigned to {assignee})( in {project})",
        "[issues|tickets]< assigned to {assignee}| opened by {reporter}>",
        "which [issues|tickets] did {reporter} [open|report]( in {project})",
        "[show|list] what {assignee} is working on( in {project})",
        "{status} [issues|tickets] labeled {label}",
        "[show|find] tickets {reporter} opened for {assignee}",
        "which {project} tickets are {status}",
      ],
    },
    tracker_update_issue: {
      names: "update_issue issues_patch edit_ticket jira_transition change_ticket",
      about:
        "Updates fields of an existing issue. | Change the status or the assignee of a ticket, or comment on it. | Partial update of an issue.",
      takes: {
        "issue_key/id/key/number/issue_number": "code! Key of the issue. | Identifier of the ticket.",
        "status/state/transition": "<open|in_progress=in progress|blocked|closed=closed/done>? New status.",
        "assignee/owner": "first? New assignee.",
        "comment/note/remark": "clause? Comment to add.",
      },
      say: [
        "[set|move|change] {issue_key} to {status}",
        "[mark|set] {issue_key} as {status}",
        "assign {issue_key} to {assignee}( and [set|move] it to {status})",
        "{assignee} takes {issue_key}",
        "comment on {issue_key} that {comment}",
        "[add|put] a comment on {issue_key}: {comment}",
        "{issue_key} is {status}",
        "give {issue_key} to {assignee}",
      ],
    },
    chat_post_message: {
      names: "post_message slack_post channels_write send_channel_message post_to_channel",
      like: "post_status",
      about:
        "Posts a message to a channel of the team chat. | Write to a channel; mentions notify people. | Send a chat message.",
      takes: {
        "channel/room/channel_name": "adjective! Channel to post in. | Name of the channel.",
        "text/message/content/body": "clause! Text of the message. | What to post.",
        "mentions/notify/users": "first[]? People to mention.",
      },
      say: [
        "post in( the)( channel) {channel}( that) {text}",
        "[post|write|say] in the {channel} channel( that) {text}",
        "tell the {channel} channel that {text}",
        "post {text} [to|in] the {channel} channel",
        "in the {channel} channel mention {mentions} and say {text}",
        "let the {channel} channel know {text}",
      ],
    },
    chat_create_channel: {
      names: "create_channel channels_create new_channel slack_create_channel open_room",
      about: "Creates a channel in the team chat and adds its members. | Open a new chat room.",
      takes: {
        "name/channel/title": "adjective! Name of the channel.",
        "members/users/people/invite": "first[]? People to add. | Members.",
        "is_private/private": "truth? Whether only members can see it.",
      },
      say: [
        "[create|open|make] a channel( called| named) {name}( for {members}| with {members})",
        "[create|open|make] a private channel {name}( with {members}){is_private=true}",
        "new channel {name}, [add|invite] {members}",
        "put {members} in a new channel called {name}",
        "I need a {name} channel( with {members} in it)",
      ],
    },
    maps_directions: {
      names: "get_directions directions_api compute_route routes_v2 plan_route",
      like: "navigate_to routing plan_trip walk_route find_connection get_eta",
      about:
        "Computes a route between two places, by way of others if given. | Returns directions from the origin to the destination. | Plan a route with stops.",
      takes: {
        "origin/from/start/start_location":
          "place? Where the route starts; the current location if left out. | Origin.",
        "destination/to/end_location/target": "place! Where the route ends. | Destination.",
        "waypoints/via/stops": "landmark[]? Places to pass, in order. | Stops on the way.",
        "mode/travel_mode/transport":
          "<driving=by car/driving|walking=on foot/walking|bicycling=by bike/cycling|transit=by bus/by train>? Means of travel.",
        "avoid/exclude": "<tolls=toll roads/tolls|highways=highways/motorways|ferries>? What to avoid.",
        "departure_time/leave_at": "clock? When to leave.",
        "arrival_time/arrive_by": "clock? When to be there.",
      },
      say: [
        "[directions|route|the way]< from {origin}| to {destination}>( {mode})",
        "[get|show|give] me directions to {destination}( from {origin})( via {waypoints})( avoiding {avoid})",
        "how do I get to {destination} {mode}( leaving at {departure_time})",
        "[route|take] me to {destination} with stops at {waypoints}",
        "to {destination} {mode} without {avoid}",
        "I have to be at {destination} by {arrival_time}, coming from {origin}, plan the route",
        "from {origin} through {waypoints} to {destination}",
        "{destination} from {origin} {mode}, avoid {avoid}",
      ],
    },
    shop_add_to_cart: {
      names: "add_to_cart cart_add basket_add_items grocery_order add_items",
      like: "buying order_food remove_list_item",
      about: "Adds articles to the shopping cart of a store. | Put items in the basket. | Order groceries.",
      takes: {
        "items/products/articles/goods": "grocery[]! Articles to add. | Names of the products.",
        "store/shop/merchant": "brandPlace? Store to order from.",
        "delivery_date/deliver_on/date": "day? Day of delivery.",
      },
      say: [
        "[add|put] {items} [to|in] my [cart|basket]( at {store})",
        "order {items} from {store}( for {delivery_date})",
        "[get|order]( me) {items}( from {store})",
        "I [need|want] {items} in my cart",
        "have {store} deliver {items}( {delivery_date})",
        "from {store} I need {items}",
        "{items} to the basket",
      ],
    },
    shop_search_products: {
      names: "search_products catalog_search product_search find_products items_query",
      like: "price_search find_book search_web",
      about:
        "Searches the catalogue of the shop. | Find products by name, brand, price and rating. | Product search with filters.",
      takes: {
        "query/q/name/product": "item! What to look for. | Search term.",
        "brand/manufacturer/maker": "coined? Brand of the product.",
        "color/colour": "color? Color of the product.",
        "max_price/price_max/budget": "integer? Highest price.",
        "min_rating/rating/stars": "stars? Lowest average rating, 1 to 5.",
        "sort_by/order/sort":
          "<price=by price/cheapest first|rating=by rating/best first|newest=newest first>? Order of the results.",
      },
      say: [
        "[find|search for|look for] {color} {query}( by {brand})( under {max_price})",
        "[find|search for] {query}< by {brand}| under {max_price} dollars>",
        "[show|find] {query} with at least {min_rating} stars( under {max_price})",
        "{query} from {brand} in {color}",
        "[show|search] {query} {sort_by}",
        "{brand} {query}, {color}, at most {max_price}",
      ],
    },
    sheet_update_cell: {
      names: "update_cell sheets_write set_cell_value spreadsheet_update write_cell",
      about: "Writes a value into one cell of a spreadsheet. | Update a cell by row and column.",
      takes: {
        "sheet/spreadsheet/document/file": "folder? Spreadsheet to change. | Name of the sheet.",
        "row/row_index/r": "integer! Row of the cell, from 1.",
        "column/col/column_index/c": "smallInteger! Column of the cell, from 1.",
        "value/content/new_value": "integer! Number to write. | New value.",
      },
      say: [
        "[set|change] row {row} column {column}( of {sheet}) to {value}",
        "[write|put] {value} [in|into]< row {row}|, column {column}>( of {sheet})",
        "in {sheet} put {value} at column {column}, row {row}",
        "column {column} row {row} should be {value}",
        "[set|make] the cell in row {row} and column {column} {value}",
      ],
    },
    report_run: {
      names: "run_report analytics_query get_metrics query_metrics bi_report",
      about:
        "Runs a report on the data of the business. | Query a metric over a period, grouped. | Returns a table of figures.",
      takes: {
        "metric/measure/kpi":
          "<revenue=revenue/income|orders|visitors=visitors/visits|costs=costs/spending|profit>! What to measure.",
        "group_by/dimension/by": "<day|week|month|country|product>? How to group.",
        "start/from/since": "month? First month. | Start of the period.",
        "end/to/until": "month? Last month. | End of the period.",
        "region/country/market": "country? Only this country.",
      },
      say: [
        "[show|run|give me|get] the {metric}( by {group_by})( from {start} to {end})( in {region})",
        "{metric} in {region}( by {group_by})( since {start})",
        "how was the {metric} between {start} and {end}",
        "{metric} per {group_by}( until {end})",
        "what {metric} did we have in {region}( from {start} to {end})",
        "report {metric} from {start} until {end}, grouped by {group_by}",
      ],
    },
    team_invite_member: {
      names: "invite_user members_add add_team_member send_invitation org_invite",
      about: "Invites somebody to the workspace. | Add a member with a role. | Sends an invitation by mail.",
      takes: {
        "email/address/user_email": "email! Mail address of the new member.",
        "role/access/permission": "<viewer=viewer/reader|editor|admin=admin/administrator>? Role in the workspace.",
        "team/group/workspace": "folder? Team to join.",
      },
      say: [
        "[invite|add] {email}( to {team})( as {role})",
        "give {email} {role} access( to {team})",
        "make {email} {role} of {team}",
        "{email} should join {team}( as {role})",
        "send an invitation to {email}",
      ],
    },
    expense_create: {
      names: "create_expense add_receipt expenses_new submit_expense book_expense",
      like: "log_expense split_with",
      about: "Records an expense for reimbursement. | Submit an expense with merchant, amount and category.",
      takes: {
        "merchant/vendor/shop/payee": "brandPlace? Where the money was spent. | The merchant.",
        "amount/total/sum": "amount! Amount spent. | Total.",
        "category/expense_type":
          "<meals=meals/food|travel|lodging=lodging/hotel|supplies=supplies/office supplies|other>? Category.",
        "date/spent_on/day": "pastDay? Day of the expense.",
        "project/cost_center/client": "folder? Project to charge.",
      },
      say: [
        "[submit|add|log|book] an expense of {amount} dollars< at {merchant}| for {category}>",
        "I spent {amount} at {merchant}( {date})( on {category}), [submit|expense] it",
        "expense {amount} for {category}( to {project})",
        "{amount} dollars of {category} at {merchant}( for {project})",
        "charge {amount} from {merchant} to {project}",
      ],
    },
    parcel_track: {
      names: "track_shipment shipments_get get_tracking delivery_status trace_parcel",
      about: "Looks up the status of a shipment. | Track a parcel by number and carrier.",
      takes: {
        "tracking_number/number/id/shipment_id": "bigNumber! Number of the shipment.",
        "carrier/company/courier": "<dhl=DHL|ups=UPS|fedex=FedEx|post=the post/mail>? Company that carries it.",
      },
      say: [
        "[track|where is|find] package {tracking_number}( with {carrier})",
        "where is my {carrier} package {tracking_number}",
        "[status|state] of shipment {tracking_number}",
        "has {carrier} delivered {tracking_number}",
        "track {tracking_number}",
      ],
    },
    light_set_state: {
      names: "hass_light_turn_on lights_update set_light_state light_control bulb_set",
      like: "lighting switching",
      about:
        "Sets the state of a light: on or off, brightness and color. | Calls the light service. | Control one light or a group.",
      takes: {
        "entity_id/light/name/entity": "lampName! Light to control. | Name of the light.",
        "brightness_pct/brightness/level": "percent? Brightness in percent.",
        "color_name/color": "color? Color of the light.",
        "transition/seconds/fade": "seconds? Seconds the change takes.",
      },
      say: [
        "[set|turn|put] the {entity_id} to {brightness_pct} percent( in {transition} seconds)",
        "[make|turn] the {entity_id} {color_name}( at {brightness_pct} percent)",
        "{entity_id} {color_name}( over {transition} seconds)",
        "{brightness_pct}% on the {entity_id}",
        "[set|dim] the {entity_id} to {brightness_pct}%, {color_name}",
        "I want {color_name} on the {entity_id}",
      ],
    },
  },
};
