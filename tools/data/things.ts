/** What actions are done to: by class, each row one thing in other words. The first word is the plainest. */
const rows = `
level: volume, loudness, sound level | brightness, light level, luminosity | temperature, heat, warmth | fan speed, blower speed | bass, low end, low frequencies |
  treble, high frequencies | contrast | font size, text size, letter size | humidity, moisture, dampness | microphone gain, mic level, mic sensitivity |
  speed, pace, tempo | screen timeout | vibration, buzz strength, haptics | water pressure | balance, left right balance | color saturation, color intensity |
  playback rate, playback speed | pressure | charging current, charging power | resistance, difficulty | zoom, magnification | ringtone volume, ringer, ring volume
power: light, lamp | lights, lighting, illumination | fan, ventilator, blower | heater, radiator, space heater | television, TV, telly, tube | radio, receiver, tuner |
  oven, stove, cooker | printer, printing machine | camera, webcam | router, wifi box, modem | alarm system, burglar alarm, security system | sprinkler, irrigation, lawn watering |
  engine, motor | pump, water pump | projector, beamer | screen, monitor, display | air conditioning, AC, air conditioner, cooling | dishwasher, dish machine |
  washing machine, washer, laundry machine | vacuum, hoover, vacuum robot | coffee machine, coffee maker, espresso machine | fireplace, fire | flashlight, torch, pocket light |
  bluetooth | wifi, wireless, wireless internet | airplane mode, flight mode | dark mode, night theme, dark theme | location, GPS, positioning | notifications, alerts |
  do not disturb, quiet mode, silent mode | mobile data, cellular data, cellular | battery saver, power saving, low power mode | autopilot, self driving | subtitles, captions, closed captions |
  hot tub, jacuzzi, whirlpool | water heater, boiler, geyser | computer, PC, laptop | game console, playstation, console | child lock, parental lock | recording light, tally light
opening: door, entrance | window, pane | blinds, shades, shutters | curtains, drapes | gate, fence gate | garage, garage door, car port | trunk, boot, tailgate | valve, tap, faucet |
  skylight, roof window | drawer, desk drawer | mailbox, letter box, postbox | hatch, trapdoor | safe, strongbox, vault | sunroof, moonroof | fridge, refrigerator, icebox | cabinet, cupboard, closet
sound: speaker, speakers, loudspeaker | microphone, mic | television, TV, telly | phone, handset, cell phone | alarm, siren, bell | ringer, ringtone | music, tunes | doorbell, door chime |
  car stereo, car radio | group chat, chat group | video, clip | headphones, earphones, earbuds | laptop, computer, notebook computer
document: report, write-up | invoice, bill | letter, written letter | contract, agreement, deal | form, questionnaire | photo, picture, snapshot, image | memo, note, jotting |
  email, mail, electronic mail | message, text | file, document, paper | presentation, slides, slide deck | article, story, news piece | recipe, cooking instructions |
  video, clip, footage | spreadsheet, table, sheet | receipt, proof of purchase, sales slip | resume, CV, curriculum vitae | manuscript, draft text | poem, verse, rhyme |
  voice memo, voice note, audio note | map, street map | manual, instructions, user guide | screenshot, screen capture, screen grab | certificate, diploma | prescription, doctor's prescription | itinerary, travel plan |
  password, passcode, secret key | drawing, sketch, doodle | minutes, meeting notes | to do list, task list, checklist
person: mom, mother, mum | dad, father, daddy | boss, manager, supervisor, chief | doctor, physician, GP | colleague, coworker, workmate | friend, buddy, pal, mate | customer, client | landlord, landlady |
  brother, bro | sister, sis | wife, spouse, better half | husband, hubby | kids, children, little ones | teacher, instructor, tutor | lawyer, attorney, solicitor | neighbor, neighbour |
  grandmother, grandma, granny, nana | grandfather, grandpa, granddad | girlfriend | boyfriend | parents, folks | babysitter, nanny, sitter | mechanic, car guy, garage man | hairdresser, barber, stylist |
  roommate, flatmate, housemate | assistant, secretary, aide | police, cops | taxi driver, cabbie | plumber, pipe fitter | team, crew, group | daughter, little girl | son, boy | vet, animal doctor | accountant, bookkeeper | coach, trainer | aunt, auntie | tenant, renter
event: meeting, conference, get-together | appointment, date | party, celebration, bash | lesson, class | trip, journey, travel | flight, plane trip | reservation, booking | workout, exercise session, training |
  game, match | concert, gig, show | interview, job interview | video conference, video meeting, online meeting | delivery, shipment | subscription, membership | shift, work shift | dinner, supper, evening meal |
  wedding, marriage ceremony | vacation, holiday, time off | exam, test | surgery, operation | run, jog | movie night, film evening | presentation, talk, lecture | haircut, hair appointment | tour, guided walk | nap, siesta
thing: car, automobile, vehicle | bike, bicycle | phone, cell, mobile, smartphone | bag, purse, handbag | sofa, couch, settee | package, parcel, box | rug, carpet | jacket, coat | shoes, footwear, sneakers |
  dog, hound, pooch | cat, kitty | garbage, trash, rubbish, waste | laundry, dirty clothes | dishes, plates, crockery | clothes, garments, clothing | gift, present | house, home | garden, yard | lawn, grass | bed, mattress |
  table, desk | chair, seat | boat, ship, vessel | medicine, pills, medication, drugs | suitcase, luggage, baggage | glasses, spectacles, eyeglasses | watch, timepiece, wristwatch | necklace, pendant, jewelry |
  guitar, six string | piano, keyboard | painting, artwork | statue, sculpture | lawn mower, grass cutter | ladder, steps | tent, canopy | fridge, refrigerator | mug, cup | pan, skillet, frying pan | truck, lorry | scooter, moped | stroller, pushchair, buggy |
  tree, sapling | flowers, blossoms, bouquet | tire, tyre, wheel | window, windowpane | cushion, pillow | blanket, quilt, cover | umbrella, brolly | wallet, billfold | keys, key ring | tools, toolbox
media: song, track, tune | music, tunes | album, record, LP | playlist, song list | podcast, radio show | series, TV show, show | film, movie, picture | audiobook, spoken book | concert, live recording | radio, radio station |
  news, bulletin, headlines | lullaby, bedtime song, cradle song | symphony, orchestra piece | sermon, preaching | lecture, talk | bedtime story, fairy tale, story | jazz, swing | white noise, rain sounds, sleep sounds
fact: weather, forecast, outlook | price, cost | balance, account balance, funds | score, result | timetable, schedule | traffic, road conditions, congestion | distance, how far it is | air quality, pollution, smog | exchange rate, currency rate |
  pollen count, allergy level | stock price, share price | population, number of inhabitants | tide, water level | sunrise, dawn, daybreak | sunset, dusk, nightfall | rent, housing cost | fuel price, gas price, petrol price | salary, pay, wage, income |
  heart rate, pulse | step count, steps | calorie intake, calories | sleep quality, quality of sleep | blood pressure | electricity use, power consumption | water use, water consumption | unemployment, joblessness | rainfall, precipitation | snow depth, snow cover | waiting time, wait, queue length | crime rate, offenses
task: taxes, tax return | dishes, washing up | shopping, groceries | laundry, washing | homework, school work | paperwork, forms | budget, spending plan | garden work, yard work | car inspection, vehicle check | bills, payments | dentist visit, tooth check | gift wrapping, packing presents |
  job application, application | dog walk, walking the dog | tire change, new tires | backup, saving of files | flat hunt, apartment search | book report, essay | slides, presentation | school run, driving the kids | window cleaning, washing windows | recycling, bottle bank`;

/** Each thing in other words, by class. */
export const things: Record<string, string[][]> = Object.fromEntries(
  rows
    .trim()
    .split(/\n(?! )/)
    .map((block) => {
      const [kind, list] = [block.slice(0, block.indexOf(":")), block.slice(block.indexOf(":") + 1)];
      return [kind, list.split("|").map((row) => row.split(",").map((word) => word.trim().replace(/\s+/g, " ")))];
    }),
);
