import { everyday, pool } from "./everyday.ts";

/** Word pools for open values: entries parted by commas, each either words or a template over other pools. */

export const pools: Record<string, string[]> = {
  ...everyday,
  first:
    pool(`Anna, Ben, Carla, David, Emma, Felix, Grace, Henry, Iris, Jack, Kate, Liam, Maria, Noah, Olivia, Peter, Quinn, Rosa, Sam,
    Tina, Uma, Victor, Wendy, Xavier, Yara, Zoe, Alex, Chris, Jordan, Taylor, Priya, Arjun, Mei, Hiro, Fatima, Omar, Lucia, Mateo, Ingrid, Sven,
    Aisha, Bruno, Chloe, Dmitri, Elena, Farid, Gita, Hugo, Ines, Jonas, Kofi, Leila, Marcus, Nadia, Otto, Paula, Ravi, Sofia, Tariq, Ursula,
    Vikram, Willa, Yusuf, Zainab, José, Zoë, Łukasz, Søren, Björn, Renée, Bob, Tom, Joe, Mike, Sue, Jenny, Will, Mark, Bill, Hope, Dawn, Art,
    Oluwaseun, Nguyen, Siobhan, Callum, Beatrix, Thaddeus, Ximena, Anneke, Kwame, Tomasz, Giulia, Hannah, Ruth, Miles, Ada, Theo, Ella`),
  last: pool(`Smith, Connor, Lee, Garcia, Okafor, Nowak, Schmidt, Rossi, Tanaka, Singh, Patel, Kim, Novak, Andersson, O'Brien, MacLeod, Haddad,
    Costa, Dubois, Ivanova, Becker, Walsh, Mbeki, Farrell, Lindqvist, Moreau, Vance, Achebe, Castellano, Whitfield, Zhang, Petrov, van Dijk`),
  relation:
    pool(`mom, dad, my wife, my husband, my brother, my sister, grandma, grandpa, my boss, my landlord, the babysitter, my roommate,
    the office, my dentist, the plumber, my coach, the neighbors, my daughter, my son, aunt May, uncle Bob, the front desk, my team, my parents,
    my lawyer, the vet, the school, my cousin, the book club group, my physio`),
  city: pool(`Paris, London, Tokyo, Berlin, Madrid, Rome, Oslo, Lisbon, Vienna, Dublin, Prague, Athens, Cairo, Lagos, Nairobi, Mumbai, Delhi,
    Sydney, Toronto, Chicago, Boston, Seattle, Denver, Austin, Miami, Houston, Atlanta, Portland, Zurich, Geneva, Munich, Hamburg, Lyon, Porto,
    Kyoto, Osaka, Seoul, Bangkok, Hanoi, Manila, Lima, Quito, Havana, San Francisco, New York, Los Angeles, Hong Kong, Buenos Aires, Cape Town,
    Tel Aviv, Abu Dhabi, Salt Lake City, St. Louis, Reykjavik, Tallinn, Ljubljana, Marrakesh, Ulaanbaatar, Galway, Leeds, Halifax, Perth, Tampa,
    Santa Fe, Baton Rouge, Nice, Bath, Cork, Turku, Ghent, Bergen, Kraków, Málaga, Winnipeg, Dar es Salaam, Ouarzazate, Christchurch`),
  country:
    pool(`France, Japan, Brazil, Kenya, Norway, Canada, Mexico, Portugal, Egypt, India, Vietnam, Iceland, New Zealand, South Korea, Peru,
    Morocco, Poland, Greece, Ireland, Turkey, Chile, Finland, Nigeria, Thailand, Switzerland`),
  street:
    pool(`Main Street, Oak Avenue, Elm Street, Baker Street, Harbor Road, King Street, Station Road, Mill Lane, Park Drive, Sunset Boulevard,
    Church Street, Victoria Road, Rue de Rivoli, Hillcrest Drive, Birch Court, Fifth Avenue, Juniper Way, Old Post Road, Canal Street, Linden Lane`),
  brandPlace:
    pool(`Green Basket, Blue Door Cafe, Luigi's, The Copper Kettle, Noodle Corner, Sunrise Bakery, Harbor Grill, Kim's Market,
    Taco Loco, The Rusty Anchor, Golden Wok, Fern & Fig, Bella Napoli, Cedar Pharmacy, North Star Gym, Lucky Dragon, Milo's Diner`),
  landmark:
    pool(`Central Park, City Hall, the Louvre, Times Square, Golden Gate Bridge, the botanical garden, the old harbor, the opera house,
    the science museum, Riverside Mall, the zoo, Union Station, the university library, Lake Merritt, Pier 39, the town square, St. Mary's Hospital,
    Terminal 2, Gate B14, the north entrance, the stadium, Hyde Park, Oak Hill Cemetery, the ferry terminal`),
  placeKind:
    pool(`gas station, pharmacy, coffee shop, supermarket, bakery, bank, ATM, hospital, parking garage, bus stop, restroom, charging station,
    hardware store, post office, Italian restaurant, sushi place, bookstore, gym, hotel, bike shop, laundromat, playground, vet clinic, water fountain,
    vegan restaurant, hair salon, car wash, library`),
  room: pool(`kitchen, bedroom, living room, bathroom, hallway, garage, office, basement, attic, porch, study, nursery, dining room, guest room, den,
    laundry room, patio, pantry, stairwell, kids room, master bedroom, sunroom, workshop, loft, conservatory, entryway`),
  appliance:
    pool(`fan, heater, coffee maker, TV, dishwasher, humidifier, air purifier, oven, kettle, space heater, desk lamp, floor lamp, sprinkler,
    Christmas lights, aquarium light, dehumidifier, electric blanket, towel rack, speaker, washing machine, dryer, pool pump, string lights,
    projector, router, bedside lamp, hot tub, ceiling fan, rice cooker, diffuser, porch light, lava lamp`),
  door: pool(
    `front door, back door, garage door, gate, side door, patio door, cellar door, shed, balcony door, car, mailbox, safe`,
  ),
  cover: pool(`blinds, curtains, shades, shutters, garage, awning, skylight, drapes, roller blind, windows`),
  color:
    pool(`red, blue, green, yellow, white, purple, orange, pink, cyan, magenta, warm white, soft blue, turquoise, lavender, gold, amber, teal,
    cool white, coral, mint green, deep red, candlelight, indigo, lime`),
  scene: pool(
    `movie night, dinner, good morning, bedtime, party, reading, focus, relax, away, vacation, romantic, cleaning, sunrise, gaming, yoga`,
  ),
  grocery:
    pool(`milk, eggs, bread, butter, apples, coffee, tea, rice, pasta, batteries, soap, detergent, bananas, cheese, yogurt, onions, tomatoes,
    chicken, paper towels, orange juice, olive oil, dog food, light bulbs, toilet paper, ice cream, oat milk, sparkling water, cat litter, garlic,
    coriander, peanut butter, tortillas, baking powder, shampoo, toothpaste, sponges, lemons, salmon, tofu, chickpeas, birthday candles, duct tape,
    sunscreen, razor blades, a new mop, frozen peas, macaroni and cheese, salt and vinegar chips, brown sugar, maple syrup, half and half`),
  dish: pool(`lasagna, chicken curry, pancakes, banana bread, pad thai, tomato soup, guacamole, chili, risotto, apple pie, falafel, mushroom stroganoff,
    beef stew, shakshuka, caesar salad, chocolate chip cookies, ramen, fried rice, omelette, tacos, cheesecake, kimchi, paella, gumbo, meatloaf,
    butter chicken, onion bhajis, french toast, scones, poached eggs, overnight oats, ratatouille`),
  sideDish: pool(
    `fries, rice, a green salad, mashed potatoes, coleslaw, onion rings, garlic bread, beans, steamed broccoli, corn, naan, potato wedges`,
  ),
  sweet: pool(
    `cheesecake, apple pie, ice cream, tiramisu, a brownie, chocolate mousse, lemon tart, pancakes, carrot cake, rice pudding, a donut, fruit salad`,
  ),
  ingredient:
    pool(`flour, sugar, butter, eggs, buttermilk, baking soda, cream, garlic, basil, honey, vanilla, yeast, sour cream, cumin, soy sauce,
    lemon juice, cornstarch, parmesan, coconut milk, paprika, rice vinegar, shallots, saffron`),
  drink: pool(
    `latte, espresso, cappuccino, green tea, flat white, americano, hot chocolate, iced coffee, mocha, chai, macchiato, black coffee`,
  ),
  meal: pool(`a banana, two eggs and toast, a bowl of oatmeal, a chicken salad, a slice of pizza, a protein shake, a handful of almonds, sushi,
    a turkey sandwich, a big burrito, greek yogurt with berries, a cheeseburger, lentil soup, {dish}, an apple, a {drink}, leftover {dish}`),
  genre:
    pool(`jazz, rock, pop, classical, techno, ambient, reggae, country, folk, metal, blues, soul, disco, lofi, hip hop, indie rock, bossa nova, punk,
    house, K-pop, opera, bluegrass, synthwave, R&B, gospel, afrobeat, drum and bass, flamenco, grunge`),
  artist:
    pool(`{first} {last}, The {adjective} {plural}, {coined}, DJ {coined}, {first} and the {plural}, {adjective} {noun}, The {plural}, {last} Trio,
    {coined} {coined}, Lil {noun}`),
  song: pool(`{adjective} {noun}, {noun} on the {noun}, {coined}, Don't {verb} Me, {city} in the {season}, My {adjective} {noun}, {verb} the {noun},
    Where the {plural} {verb}, {count} {plural}, Dear {first}, {noun}, Song for {first}, The {noun} and the {noun}, Never {verb} Again,
    Midnight in {city}, {adjective} {adjective} {noun}, Last Train to {city}, Stop the {noun}, Play It Again {first}, Turn Up the {noun}, Call Me {weekday}, Wake Me in {month},
    Set the {noun} on Fire, Ten Minutes to {city}, {season} Alarm, Next Stop {city}, Send Me {plural}, Please {first}, In the {room}, By the {noun}, The Title, Song {number}`),
  album: pool(
    `{adjective} {plural}, Live in {city}, {coined}, The {noun} Sessions, Songs for a {adjective} {noun}, {city} Nights, {noun} and {noun}`,
  ),
  playlist:
    pool(`workout mix, road trip, chill vibes, focus, dinner party, morning run, sleep, {first}'s mix, summer hits, study beats, oldies, favorites,
    rainy {weekday}, {genre} classics, gym bangers, {city} {season}, {adjective} {plural}, discover weekly, kids songs`),
  podcast:
    pool(`The {adjective} {noun}, {noun} Hour, {city} Stories, Daily {noun}, The {last} Report, Talking {plural}, {coined} Radio, Science with {first},
    History of {country}, {noun} and {noun}`),
  station: pool(
    `{number}.{digit} FM, Radio {city}, {coined} FM, Jazz {number}, BBC Radio {digit}, K{letter}{letter}{letter}, Classic Rock {number}, NPR`,
  ),
  show: pool(`{adjective} {plural}, The {noun} of {city}, {coined}, {last} and {last}, House of {plural}, The {adjective} {noun}, {first}'s {noun},
    Return to {city}, {number} {plural}`),
  game: pool(
    `chess, solitaire, sudoku, trivia, tetris, snake, crossword, minesweeper, hangman, checkers, word puzzle, twenty questions, {coined}`,
  ),
  language:
    pool(`French, German, Spanish, Italian, Japanese, Korean, Chinese, Portuguese, Russian, Arabic, Hindi, Dutch, Swedish, Polish, Turkish,
    Greek, Mandarin, Vietnamese, Thai, Ukrainian, Swahili, Hebrew, Finnish, Czech, Danish, Tagalog, Welsh, Icelandic, Urdu, Catalan`),
  phrase:
    pool(`good morning, where is the station, how much does this cost, thank you very much, I am lost, one coffee please, see you tomorrow,
    my name is {first}, the bill please, I need a doctor, happy birthday, where can I buy a ticket, I'm allergic to {ingredient}, can I pay by card,
    is this seat taken, do you have {grocery}, what time does it open, two tickets to {city}, is there {placeKind} nearby, the {noun} is broken,
    how do I get to {landmark}, I would like {drink}, nice to meet you, no ice please, do you speak {language}, where is the bathroom,
    cheers, good luck, I love you, could you help me, I have a reservation for {last}, keep the change, without {ingredient} please`),
  message:
    pool(`I'm running late, on my way, see you soon, call me back, happy birthday, dinner at {hour}, please buy {grocery}, I love you,
    are you home yet, can you pick up the kids, I'll be there in {duration}, thanks for lunch, the package arrived, let's meet at {landmark},
    good luck today, don't forget {grocery}, I'm stuck in traffic, what do you want for dinner, can we move it to {weekday}, I left my {item} at home,
    I'm at {landmark}, just landed in {city}, be there at {hour}, where are you, did you feed the {animal}, the {noun} is ready, I can't make it,
    sounds good, no worries, call {first} when you can, the code is {code}, I'm outside, save me a seat, bring your {item}, sorry I missed your call,
    is {first} coming {weekday}, we are out of {grocery}, I'll {errand} {weekday}, can you {errand}, meeting moved to {hour}, what's the wifi password,
    the train is delayed by {duration}, turn off the {appliance}, set an alarm for {hour}, don't play {genre}, cancel the {event}, the timer is done, call {first} and {first}, got it, yes, no thanks, congratulations on the {noun}, miss you, I need {count} more {plural},
    tell {first} I said hi, running about {duration} behind, door is open come in, how did the {event} go, let me know when you get there`),
  /** What somebody is told to do: follows "to". */
  deed: pool(`meet me at {landmark}, meet me at the {placeKind}, bring the {item}, call me back, wait at the {placeKind}, pick up {grocery}, turn off the {appliance},
    set the table, send me the {noun} file, be ready by {hour}, stop by after work, take the {animal} out, lock the {door}, text me when the {noun} arrives,
    cancel the {event}, feed the {animal}, leave the {item} on the {noun}, start the {appliance}, play some {genre}, set an alarm for {hour}, remind {first} about the {noun},
    save me a seat, book a table for {count}, look at the {subject}, come home, buy {count} {plural}, drop the {item} off at {landmark}, check the {fixture}, hurry up,
    open the {cover}, put {grocery} on the list, call {first} {last}, water the {noun}, reply to {first}, take a picture of the {subject}, wear the {color} {item},
    keep the {door} closed, find the {item}, return the {noun} by {weekday}, print {count} {plural}, fix the {fixture}, move the car, {errand}`),
  /** What somebody is told to be so: follows "that". */
  clause:
    pool(`I'm running late, dinner is at {hour}, the {noun} is in the {room}, we are out of {grocery}, the alarm went off, my phone is dying, you left the {appliance} on,
    it's {first}'s birthday on {weekday}, I'll be home by {hour}, the meeting moved to {weekday}, the timer is set for {duration}, I can't find the {item}, I'm at {landmark},
    {first} called, the {fixture} is broken, I'll meet you at the {placeKind}, we need {count} more {plural}, the {event} is off, the gate code is {code}, the volume is too loud,
    I took the {item}, {first} and {first} are coming, I'll bring {dish}, I fed the {animal}, the train leaves at {hour}, I'm on my way, lunch was great, everything is fine,
    I'm not coming {weekday}, the title is wrong, I won't make it to the {event}, traffic is terrible, the message was for {first}, the play starts at {hour}, the number is {phone},
    my stop is {street}, I'm leaving {city} {weekday}, the {noun} costs too much, I love the {color} {item}, nobody is home, the kids are asleep, you can park at {landmark}`),
  /** What somebody is asked: follows "if". */
  asked:
    pool(`they are coming, she's free on {weekday}, he fed the {animal}, dinner is ready, they have seen my {item}, they need {grocery}, the {fixture} works, he can pick up {first},
    they want {dish}, she got the {noun}, it's raining in {city}, the {placeKind} is open, they could lend me {count} {plural}, he's done with the {noun}`),
  /** What somebody wants to know: follows "find out". */
  question:
    pool(`who invented the {noun}, how tall {first} {last} is, when the {noun} was built, where {landmark} is, what {word} means, who won the {sport} game, how to cook {dish},
    why the sky is blue, how far {city} is from {city}, when {season} begins, which {animal} lives longest, how much a {noun} costs, what time the {placeKind} closes,
    who wrote {show}, how many people live in {country}, what to do about a {symptom}, how the {noun} works`),
  /** What a camera is pointed at. */
  subject:
    pool(`moon, old church, dog on the left, red car, mountain behind the lake, people at the table, {animal}, {color} {noun}, {adjective} {noun}, {thing}, sunset over {city}, cake, license plate,
    {noun} on the {noun}, tower clock, street sign, menu on the wall, whiteboard, {adjective} {animal}, boat out there, second {noun} from the right, stars, bird in the tree, {noun} behind {first}`),
  lampName:
    pool(`porch light, moon lamp, hall light, bedside lamp, {room} lamp, {room} light, {first}'s lamp, reading light, garden lights, desk light, night light, tree lights,
    stair light, {season} lights, {noun} light, coffee table lamp, front door light, left {room} light, ceiling lights, strip light, {adjective} lamp`),
  /** A device that has a name of several words. */
  fixture:
    pool(`porch light, moon lamp, hall light, bedside lamp, garage fan, {room} lamp, {room} fan, {room} light, {room} TV, {first}'s lamp, {color} lamp, reading light, {adjective} lamp, garden lights,
    window fan, {first}'s heater, desk light, night light, {room} speaker, tree lights, stair light, {season} lights, {noun} light, coffee table lamp, front door light, aquarium pump, {room} heater,
    left {room} light, big fan, ceiling lights, {appliance}`),
  errand:
    pool(`call the plumber, water the plants, book a table for two, return the library books, renew my passport, check the oven, take out the trash,
    pay the rent, feed the cat, submit the report, pick up the dry cleaning, take my medicine, charge the bike, buy {grocery}, call {first},
    email {first} about the {noun}, pick up {first} from {placeKind}, walk the {animal}, send the invoice, order {grocery}, cancel the gym membership,
    defrost the {grocery}, change the bed sheets, back up my photos, clean the {room}, fix the {appliance}, bring the {item}, wish {first} a happy birthday,
    drop off the {item}, finish the slides, move the car, print the tickets, check on {first}, turn off the sprinklers, sign the permission slip,
    ask {first} for the {item}, get gas, vote, stretch, drink some water, reply to {last}, buy a gift for {first}, prepare for the {event}`),
  note: pool(`the wifi password is {coined}, parking spot {code}, ask about the invoice, idea for the new logo, {first} likes {drink},
    {errand}, the gate code is {code}, {first} recommended the book {show}, meter reading {bigNumber}, locker {number}, the {noun} needs a new {noun},
    gift idea for {first} {adjective} {item}, size {number} shoes, the {animal} was sick on {weekday}, we parked on level {digit}, {dish} needs more {ingredient},
    flight lands at {hour}, remember what {first} said about the {noun}, room {number}, {adjective} {noun} next to the {noun}, try {brandPlace} next time`),
  event:
    pool(`team meeting, dentist appointment, lunch with {first}, yoga class, project review, piano lesson, flight to {city}, parents evening, haircut,
    doctor visit, standup, board meeting, date night, gym session, oil change, interview, book club, football practice, dinner with {relation},
    call with {last}, {first}'s birthday party, vet appointment, quarterly planning, coffee with {first}, wedding rehearsal, school play, eye exam,
    {noun} workshop, sync with the {noun} team, concert, car inspection, volunteering, {first} and {first}'s wedding, job interview at {brandPlace}`),
  purpose:
    pool(`pizza, pasta, laundry, tea, eggs, the oven, nap, homework, study session, parking, bread, {dish}, plank, meditation, cookies, the dryer,
    break, {grocery}, {first}, cooking, the {animal}, screen time, {noun}`),
  alarmLabel: pool(
    `work, school, gym, medication, flight, morning run, prayer, church, {event}, early shift, {first}, feeding the {animal}, trash day, timer, call {first}, play time, text {first}, {weekday} run, turn off the {appliance}`,
  ),
  item: pool(`keys, wallet, umbrella, charger, jacket, laptop, glasses, headphones, backpack, passport, water bottle, suitcase, camera, bike, scarf, watch,
    earbuds, tablet, purse, gloves, tennis racket, notebook`),
  animal: pool(`dog, cat, hamster, parrot, goldfish, rabbit, horse, chickens, turtle, puppy`),
  sport:
    pool(`running, cycling, swimming, walking, hiking, rowing, yoga, skiing, tennis, strength training, pilates, boxing, climbing, dancing,
    indoor cycling, trail running, pool swim, badminton, soccer, HIIT, elliptical, kayaking, snowboarding, skating, golf, basketball, surfing, crossfit,
    stair climbing, jump rope, core training, tai chi`),
  app: pool(`Spotify, Maps, Camera, Calendar, Messages, Strava, Weather, Notes, Mail, Photos, Settings, Podcasts, Fitness, Wallet, Compass, Calculator,
    Stocks, News, WhatsApp, Duolingo, Uber, {coined}, Sleep Tracker, Voice Memos, Signal, Slack, Teams, Komoot, Telegram, Instagram, Shazam`),
  topic:
    pool(`the tallest mountain, black holes, the French Revolution, how vaccines work, the capital of {country}, photosynthesis, Marie Curie,
    the speed of light, sourdough starter, the Roman Empire, blue whales, quantum computers, {first} {last}, best {placeKind} in {city}, how to {errand},
    {dish} recipe, the history of {country}, cheap flights to {city}, why cats purr, {adjective} {noun} meaning, symptoms of anemia, {city} population,
    reviews of {brandPlace}, how tall is {first} {last}, {noun} {noun}, when does {season} start, the population of {country}, {artist} tour dates`),
  newsTopic:
    pool(`sports, politics, technology, business, science, entertainment, health, climate, football, the elections, space, {country}, {city},
    the economy, AI, local, world, finance, gaming, {coined}`),
  word: pool(`serendipity, ubiquitous, ephemeral, mississippi, rhythm, necessary, entrepreneur, onomatopoeia, benign, gratuity, quixotic, lieutenant, colonel,
    {noun}, {adjective}, accommodate, zeitgeist, petrichor, idempotent`),
  company:
    pool(`Apple, Tesla, Google, Microsoft, Amazon, Nvidia, Netflix, IBM, Intel, Ford, Nike, Toyota, {coined}, {last} Industries, {coined} Labs, Siemens,
    Shell, AAPL, TSLA, GOOG, MSFT, AMZN, NVDA, SAP, {letter}{letter}{letter}`),
  currency: pool(
    `dollars, euros, pounds, yen, francs, pesos, rupees, USD, EUR, GBP, JPY, CHF, CAD, kronor, zloty, won, AUD, Swiss francs, bitcoin, us dollars,
    American dollars, British pounds, pounds sterling, Canadian dollars, Indian rupees, Mexican pesos, Chinese yuan, Turkish lira, rubles, rand, shekels,
    dirhams, baht, forints, quid, bucks, usd, eur, inr`,
  ),
  expense: pool(
    `groceries, gas, rent, lunch, coffee, books, a haircut, {grocery}, taxi, dinner, clothes, parking, the dentist, movie tickets, pet food, gym`,
  ),
  medicine:
    pool(`ibuprofen, aspirin, vitamin D, insulin, my antibiotics, metformin, the blue pill, paracetamol, allergy pills, iron tablets, my inhaler, {coined}ol,
    lisinopril, fish oil, melatonin, magnesium, cough syrup`),
  symptom: pool(
    `headache, sore throat, back pain, nausea, fever, cramps, dizziness, runny nose, migraine, fatigue, knee pain, rash, heartburn, cough`,
  ),
  mood: pool(`happy, stressed, tired, calm, anxious, great, sad, energetic, grumpy, focused, relaxed, overwhelmed`),
  lineName: pool(
    `line {digit}, bus {number}, the {color} line, tram {digit}, the {number}, train {letter}{digit}, the {letter} train, route {number}`,
  ),
  stop: pool(
    `{street}, {landmark}, Union Station, {city} Central, the airport, downtown, {street} stop, North Station, Market Square, {last} Square`,
  ),
  flight: pool(
    `{letter}{letter}{number}{digit}, {letter}{letter} {number}, {letter}{digit} {number}{digit}, BA{number}, UA {number}`,
  ),
  lens: pool(`wide, telephoto, macro, fisheye, ultrawide, selfie`),
  filter: pool(`black and white, sepia, vivid, noir, vintage, soft glow, dramatic, cool, warm, mono`),
  sight: pool(
    `this sign, this menu, the page, that poster, the label, this receipt, the screen, this letter, the timetable, the whiteboard, the notice board`,
  ),
  thing: pool(
    `bird, flower, building, plant, painting, car, insect, dog breed, monument, mushroom, tree, logo, star, cheese`,
  ),
  listName: pool(
    `shopping, groceries, to do, packing, wish, gift, hardware store, camping, {weekday}, reading, {first}'s, Costco, {city} trip, birthday, chores, errands`,
  ),
  folder: pool(`Work, Ideas, Recipes, Travel, Journal, Personal, {noun}, {city} trip, School, {first}`),
  service: pool(`Spotify, Apple Music, YouTube, Tidal, Deezer, Pandora, SoundCloud, Amazon Music`),
  carService: pool(`Uber, Lyft, Bolt, a cab company, Grab, FreeNow, {coined} Cabs`),
  network: pool(`{coined}-{number}, HomeNet, {last} Guest, cafe-wifi, {coined}_5G, Office WiFi, {brandPlace} Free`),
  gadget: pool(
    `my earbuds, the car, the speaker, {first}'s phone, my laptop, the TV, the hearing aids, JBL Flip, the keyboard, {coined} Buds, the treadmill`,
  ),
  watchface: pool(
    `analog, digital, modular, classic, minimal, photo, astronomy, {coined}, sporty, retro, world clock, chronograph`,
  ),
  mode: pool(`theater, sleep, airplane, work, driving, water lock, power saving, focus, gaming, silent, school`),
  season: pool(`summer, winter, spring, autumn, fall`),
  adjective:
    pool(`blue, golden, silent, broken, tiny, electric, lonely, crimson, hollow, gentle, wild, paper, velvet, frozen, sweet, distant, crooked, bright,
    hidden, lucky, ancient, sleepy, restless, silver, green, old, new, heavy, slow, wooden, striped, spare`),
  noun: pool(`river, mirror, lantern, garden, window, engine, shadow, mountain, pocket, harbor, ladder, candle, forest, bridge, comet, ribbon, anchor, feather,
    thunder, clock, budget, printer, contract, blanket, bicycle, kettle, shelf, basket, violin, logo, heater, fence, drawer, map, boiler, ticket, cabinet,
    tent, ring, roof, pump, invoice, report, mailbox, puzzle, sofa, van, lamp, saddle, garage, poster, helmet`),
  plural:
    pool(`rivers, wolves, lanterns, strangers, pilots, shadows, oranges, robots, sparrows, engines, tigers, mirrors, dreamers, pebbles, islands,
    giants, tickets, chairs, boxes, cables, screws, pens, candles, bottles, towels, stamps`),
  verb: pool(
    `follow, remember, wake, carry, leave, find, break, chase, forget, hold, trust, paint, cross, light, wander, sing, run, dance`,
  ),
  weekday: pool(`Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday`),
  month: pool(`January, February, March, April, May, June, July, August, September, October, November, December`),
  hourWord: pool(`one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve`),
  currencyName:
    pool(`dollar, euro, pound, yen, us dollar, US dollar, american dollar, british pound, pound sterling, swiss franc, canadian dollar, australian dollar,
    indian rupee, rupee, mexican peso, peso, chinese yuan, yuan, japanese yen, korean won, turkish lira, polish zloty, swedish krona, danish krone,
    brazilian real, south african rand, russian ruble, thai baht, shekel, kuwaiti dinar, hungarian forint, new zealand dollar, bitcoin, USD, EUR, GBP,
    JPY, CHF, INR, CNY, usd, eur, gbp, inr`),
  state:
    pool(`California, Texas, Florida, Ohio, Nevada, Georgia, Oregon, Maine, Utah, Kansas, New Jersey, New Mexico, North Carolina, Rhode Island, Iowa,
    Montana, Alabama, West Virginia, Michigan, Hawaii, Ontario, Bavaria, Tuscany, Kerala, Queensland`),
  shortCity: pool(`NYC, LA, SF, SD, DC, NY, Philly, Vegas, Frisco, Chi town`),
  /** City and land, parted by a slash: whoever asks chooses how they are joined. */
  cityLand:
    pool(`Delhi/India, Pune/India, Paris/France, Lyon/France, Osaka/Japan, Rome/Italy, Cairo/Egypt, Lagos/Nigeria, Lima/Peru, Toronto/Canada, Cork/Ireland,
    Sydney/Australia, Bergen/Norway, Hanoi/Vietnam, Porto/Portugal, Perth/Australia, Athens/Greece, Dublin/Ireland, Leeds/UK, Prague/Czech Republic,
    San Diego/CA, Austin/TX, Portland/OR, Boston/MA, Albany/NY, Chicago/IL, Miami/FL, Seattle/WA, Phoenix/AZ, Atlanta/GA, Trenton/NJ, Fresno/California,
    Dallas/Texas, Toledo/Ohio, Reno/Nevada, Salem/Oregon, Mobile/Alabama, Lansing/Michigan, Waco/Texas, Ithaca/New York, Baton Rouge/Louisiana`),
  pastDay: pool(
    `yesterday, last week, last month, last {weekday}, {weekday}, {month}, last {month}, two weeks ago, the first of {month}, {month} {digit}`,
  ),
  airline:
    pool(`Delta, United, Southwest, American Airlines, Lufthansa, Air France, KLM, Emirates, Qatar Airways, JetBlue, Alaska Airlines, Ryanair, easyJet,
    Air India, Qantas, Singapore Airlines, British Airways, Turkish Airlines, Iberia, Spirit, {coined} Air, {country} Airlines`),
  cuisine:
    pool(`Italian, Mexican, Chinese, Indian, Thai, Japanese, French, Greek, Korean, Vietnamese, Turkish, Spanish, Ethiopian, Lebanese, Peruvian, Moroccan,
    Cuban, American, Mediterranean, vegan, vegetarian, seafood, barbecue, sushi, tapas, dim sum, fusion, Cajun, Caribbean, steakhouse, Persian, Nepali`),
  diningPlace: pool(
    `bistro, diner, pub, steakhouse, pizzeria, cafe, brasserie, tavern, brewpub, food truck, bakery, bar, cafeteria, tea house, gastropub`,
  ),
  restaurant:
    pool(`{brandPlace}, {brandPlace}, {first}'s, {first}'s Place, {first}'s at the {noun}, {coined}, {coined} on {street}, The {adjective} {noun},
    {noun} and {noun}, Cafe {coined}, {noun} in the {noun}, As You {verb} It, {count} {plural}, {first} & {first}, {city} Grill, {last} and Sons, Chez {first},
    {dish} House, House of {dish}, Bar {coined}, Lucky {number}, Just Like {first}, Nothing but {ingredient}, {cuisine} Corner`),
  facility: pool(
    `outdoor seating, a rooftop, live music, a smoking area, parking, wifi, a pool, a playground, a terrace, valet parking, a gym, a spa, wheelchair access`,
  ),
  proximity: pool(
    `nearby, close by, near me, around here, in walking distance, within five miles, within 10 minutes, around the corner, not far, in the area`,
  ),
  hotelName: pool(
    `Hotel {coined}, The {last} Inn, {city} Palace Hotel, {adjective} {noun} Lodge, {last} Suites, Grand {coined}, Hotel {noun} on {street}, The {noun} at {landmark}`,
  ),
  movie:
    pool(`The {adjective} {noun}, {first} and the {noun}, {noun} {digit}, {coined}: The {noun}, {noun}: Return to {city}, {adjective} {plural}, {coined},
    A {noun} in {city}, {count} {plural} and a {noun}, The {noun} of {first} {last}, {verb} Me in {city}, {year}: A {adjective} {noun}, {month} {digit},
    Dr. {last} in {country}, Mission {coined}: Part {digit}, The Last {noun}, {weekday} at {landmark}, How to {verb} a {noun}, {noun} vs. {noun}`),
  movieGenre: pool(
    `comedy, action, horror, drama, sci-fi, romance, thriller, documentary, fantasy, animation, western, mystery, crime, musical, war, adventure, family, biography`,
  ),
  screenName: pool(`{first} {last}, {first} {last}, {first} {letter}. {last}`),
  theater: pool(
    `{coined} Cinemas, AMC {street}, Regal {city}, {last} Theatre, The {adjective} {noun} Playhouse, {city} Cineplex {number}, Odeon {landmark}`,
  ),
  eventKind: pool(
    `concert, game, musical, play, festival, comedy show, baseball game, opera, football match, ballet, circus, basketball game, art fair`,
  ),
  eventName: pool(
    `{artist}, {artist}, {plural} vs {plural}, {city} {plural} Vs {city} {plural}, The {adjective} {noun} Tour, {noun} Fest, Night of the {plural}, {coined} at the {noun}`,
  ),
  venue: pool(
    `{last} Arena, {city} Hall, {coined} Stadium, the {adjective} {noun}, {landmark}, {street} Theater, Club {coined}`,
  ),
  attraction: pool(
    `museum, park, historical landmark, shopping area, place of worship, theme park, theater, sports venue, garden, castle, beach, gallery, market, aquarium, lighthouse`,
  ),
  specialist:
    pool(`dentist, dermatologist, gynecologist, pediatrician, ophthalmologist, general practitioner, physiotherapist, psychologist, psychiatrist,
    family counselor, cardiologist, orthodontist, eye doctor, chiropractor, vet, allergist, therapist, ent doctor`),
  salonName: pool(
    `{first}'s Salon, {coined} Hair, Cuts by {first}, The {adjective} {noun} Salon, {last} Barbers, Studio {coined}, Hair at {street}`,
  ),
  coffee: pool(
    `espresso, cappuccino, latte, filter coffee, americano, drip coffee, black coffee, decaf, flat white, ristretto, cold brew, mocha, french press`,
  ),
  laundry: pool(
    `cotton, delicates, wool, synthetics, towels, whites, colors, bedding, jeans, sportswear, shirts, baby clothes`,
  ),
  food: pool(
    `leftovers, popcorn, pizza, soup, {dish}, frozen peas, rice, a potato, chicken, the vegetables, oatmeal, fries, {dish}`,
  ),
  billWord: pool(
    `dinner, the pizza, rent, the cab, groceries, drinks, the hotel, movie tickets, lunch, the gas, brunch, the wifi, the concert tickets`,
  ),
};

/** Common words, so that a value can be any run of words at all. */
export const common =
  pool(`about, after, all, always, another, any, around, back, because, before, best, better, big, both, box, bring, by, call, car, chair,
  change, city, clean, close, cold, come, corner, could, cut, day, dog, door, down, early, east, enough, every, eye, far, fast, few, field, find, fire, first, fish,
  five, floor, for, four, free, from, front, full, get, glass, go, good, great, green, ground, half, hand, hard, he, her, here, high, hill, home, hot, house, if,
  in, into, is, it, just, keep, kind, king, last, late, left, less, light, like, line, list, little, long, look, low, many, maybe, more, most, move, much, music,
  my, name, near, never, new, next, night, no, north, not, now, of, off, old, on, one, only, open, or, other, our, out, over, own, page, paper, part, past, people,
  place, plan, point, power, quick, quiet, rain, read, red, rest, right, river, road, rock, room, round, same, sea, second, set, she, ship, short, show, side,
  small, snow, so, some, song, soon, south, star, start, still, stone, stop, story, street, sun, table, take, talk, ten, than, that, the, then, there, they, thing,
  this, three, through, time, to, today, together, too, top, town, tree, turn, two, under, up, very, wait, walk, wall, warm, watch, water, way, we, week, well,
  west, what, when, where, white, who, why, wind, window, with, without, word, work, world, year, yes, you, young, your`);

export const syllables =
  "ba be bi bo bra da del di dor fa fen fi flo ga gri ha hel in jo ka kel kin la len lo lu ma mar mi mon na ne no nu or pa pel pi qua ra ren ri ro sa sel si so sta ta ten ti tor tri u va ven vi vo wa wel xa ya yo za zel zi zu".split(
    " ",
  );
