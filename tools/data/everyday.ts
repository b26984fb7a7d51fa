/** Pools of everyday and of work: pets and plants, teams and rooms, files and branches. Entries as in words.ts. */

/** Entries parted by commas. */
export const pool = (text: string): string[] => text.split(",").map((entry) => entry.trim().replace(/\s+/g, " "));

export const everyday: Record<string, string[]> = {
  path: pool(`README.md, docs/setup.md, docs/api/{noun}.md, src/{noun}.ts, src/{noun}/index.js, lib/{noun}_{noun}.rb, tests/test_{noun}.py, config/{noun}.yaml,
    scripts/deploy.sh, packages/{noun}/package.json, .github/workflows/ci.yml, {noun}.csv, ~/Downloads/{noun}.pdf, ~/notes/{weekday}.txt, /etc/hosts, /var/log/{noun}.log,
    CHANGELOG.md, Dockerfile, Makefile, .env.example, app/models/{noun}.rb, cmd/{noun}/main.go, public/{noun}.svg, data/{noun}-{number}.json, settings/{noun}.toml, notes/{month}.md,
    tsconfig.json, ui/{adjective}-{noun}.css, src/main/java/{noun}.java, reports/q{digit}.xlsx, photos/{city}.jpg`),
  folderPath: pool(
    `docs, src, src/{noun}, tests, ~/Downloads, ~/Documents/{noun}, config, /var/log, assets/{plural}, backup, archive/{number}, scripts, notes, shared/{noun}`,
  ),
  repo: pool(
    `acme/{noun}, acme/{noun}-api, {noun}-web, {noun}-{noun}, {coined}/{noun}, payments-service, mobile-app, website, docs, {noun}.js, infra, octo/{adjective}-{noun}`,
  ),
  branch: pool(
    `main, develop, staging, feature/{noun}-{noun}, fix/{noun}, release/{digit}.{digit}, hotfix-{number}, {noun}-refactor, experiment/{adjective}-{noun}, master, gh-pages`,
  ),
  channel: pool(
    `#general, #random, #dev, #ops, #{noun}-team, #release, #support, #design, #lunch, #alerts, general, standup, #{city}-office, #incident-{number}`,
  ),
  issueTitle:
    pool(`login page crashes on Safari, typo in the install guide, memory leak in the {noun} worker, dark mode flickers, upload fails above {number} MB,
    button overlaps the {noun}, search ignores accents, cannot reset password, wrong total on the {noun} page, tests hang on Windows, export to CSV loses the last row,
    add a {color} theme, {noun} icon is blurry, time zone off by one hour, timeout when saving the {noun}, broken link in the footer, support {language}, page {digit} is blank`),
  prTitle: pool(
    `Fix the {noun} cache, Add {noun} endpoint, Bump version to {digit}.{digit}, Remove dead code, Speed up the {noun} query, Handle empty {plural}, Document the {noun} API, Refactor {noun} tests`,
  ),
  tag: pool(
    `bug, enhancement, documentation, urgent, good first issue, wontfix, backend, frontend, regression, question, design, security, blocked, {noun}`,
  ),
  table: pool(
    `users, orders, invoices, customers, sessions, products, payments, audit_log, {plural}, {noun}_events, employees, page_views`,
  ),
  column: pool(`email, created_at, status, country, total, name, age, price, updated_at, city, last_login, {noun}_id`),
  host: pool(
    `web-{digit}, db-primary, staging, production, cache-{number}, api-{digit}, worker-{number}, {noun}-server, the build box, mail gateway`,
  ),
  build: pool(
    `nightly, frontend, backend, iOS, Android, docs site, {noun} service, integration tests, release, lint, end-to-end, docker image`,
  ),
  outage: pool(
    `{service} is down, the site is slow, payments fail, the queue is stuck at {bigNumber}, disk full on {host}, nobody can sign in, {host} doesn't answer, the {noun} job hangs, errors went up since {hour}, the certificate runs out {weekday}, {service} keeps restarting, customers see a blank page`,
  ),
  handle: pool(`@anna, @ben_k, @{noun}{digit}, @dev-{first}, @{coined}, @{adjective}{noun}, @ops, @maria.r`),
  page: pool(
    `onboarding guide, release checklist, {noun} handbook, meeting notes, incident report, product roadmap, style guide, team directory, {city} offsite, hiring plan, FAQ`,
  ),
  paper:
    pool(`budget spreadsheet, Q{digit} report, seating plan, draft contract, invoice for {last}, sales deck, floor plan, {noun} proposal, tax return, lease, price list, org chart,
    {month} minutes, expense form, boarding pass, cover letter, {city} itinerary, insurance policy, {noun} presentation`),
  meetingRoom: pool(
    `the boardroom, Room {digit}, the fishbowl, Huddle {digit}, Everest, Studio B, the corner room, Meeting Room {number}, the library, {city} room, the big room, Pod {digit}`,
  ),
  statusText:
    pool(`out to lunch, heads down, at the dentist, in a workshop, back at {hour}, working from home, on the train, away from my desk, on vacation, catching up on mail,
    in meetings all day, off sick, travelling to {city}, writing the {noun} report, do not disturb, on call`),
  groupName: pool(
    `Family, the hiking crew, Book Club, Flat {number}, the {noun} team, {weekday} football, class of {year}, the cousins, Moms of 3B, {first}'s birthday, Neighbourhood Watch, {city} trip`,
  ),
  petName: pool(
    `Biscuit, Luna, Rex, Mittens, Pickles, Bruno, Nala, Ziggy, Coco, Waffles, Shadow, Tilly, Mango, Sir Barks, Poppy, Gizmo, Olive, Smokey`,
  ),
  petFood: pool(
    `kibble, wet food, a tin of tuna, hay, birdseed, a carrot, dry food, half a tin, a chicken treat, fish flakes, a dental stick, raw beef`,
  ),
  plant: pool(
    `basil, monstera, tomatoes, roses, lawn, hedge, orchid, ferns, window boxes, herbs, hydrangeas, cactus, lemon tree, vegetable patch, tulips, strawberries, ivy, bonsai, seedlings`,
  ),
  machine: pool(
    `dishwasher, washing machine, tumble dryer, oven, coffee maker, kettle, slow cooker, air fryer, microwave, bread maker, rice cooker, robot mower, ice maker, espresso machine`,
  ),
  schoolSubject: pool(
    `maths, math, biology, chemistry, physics, history, geography, French, English, art, PE, music, computer science, economics, Latin, drama, social studies, woodwork`,
  ),
  homework: pool(
    `read chapter {digit}, essay on {topic}, worksheet {number}, learn the {language} verbs, finish the {noun} poster, exercises {digit} to {digit}, draw a {noun}, lab report, book report, spelling list`,
  ),
  club: pool(
    `Arsenal, the Lakers, Real Madrid, the Yankees, Leeds United, the Bulls, Bayern, Celtic, the Red Sox, Juventus, the Maple Leafs, Ajax, the All Blacks, the {plural}, {city} United, {city} FC, the Packers, Barcelona`,
  ),
  league: pool(
    `Premier League, NBA, NFL, Bundesliga, La Liga, NHL, Serie A, MLB, Champions League, Six Nations, Formula 1, the World Cup, Wimbledon, the Ashes, Tour de France`,
  ),
  athlete: pool(`{first} {last}, {first} {last}, {last}, {first} van {last}`),
  ware: pool(`running shoes, phone case, winter coat, blender, desk lamp, yoga mat, size {digit} sneakers, {color} curtains, frying pan, wireless mouse, {color} jumper, garden hose, tent, board game,
    baby monitor, {color} rug, suitcase, electric toothbrush, jeans, swimming goggles, office chair, USB cable, {adjective} vase, rain boots`),
  store: pool(
    `Amazon, IKEA, Tesco, Target, Walmart, Costco, eBay, Best Buy, Sainsbury's, Etsy, Decathlon, {last}'s, {coined}, the corner shop, Home Depot, Argos`,
  ),
  sightName: pool(
    `the cathedral, the old harbour, the night market, {landmark}, the castle, the modern art museum, the botanical garden, the roman baths, the viewpoint, the flea market, the clock tower, the palace`,
  ),
  packed: pool(
    `sunscreen, passport, phone charger, rain jacket, swimsuit, hiking boots, toothbrush, travel adapter, sunglasses, first aid kit, {count} t-shirts, sleeping bag, snorkel, hairdryer, book, earplugs, the tent pegs`,
  ),
  toy: pool(
    `teddy, building blocks, toy train, doll, puzzle, crayons, ball, stacking rings, kite, tricycle, play dough, picture book`,
  ),
  bottle: pool(
    `formula, breast milk, expressed milk, oat porridge, mashed banana, carrot puree, a pouch of fruit, rice cereal, yoghurt, toast fingers`,
  ),
  ache: pool(
    `headache, sore throat, stiff neck, hay fever, tummy ache, back pain, migraine, cramp in the calf, runny nose, toothache, heartburn, itchy eyes, swollen ankle, chest tightness, blurry vision, earache`,
  ),
  clinic: pool(
    `GP, dentist, optician, physio, dermatologist, midwife, cardiologist, paediatrician, podiatrist, nurse, audiologist`,
  ),
  feeling: pool(
    `happy, low, wired, calm, anxious, great, blue, on edge, flat, cheerful, drained, hopeful, irritable, content, jittery, lonely, proud, burnt out, peaceful`,
  ),
  share: pool(
    `Apple, Tesla, Nvidia, Siemens, Shell, Toyota, AAPL, TSLA, NVDA, MSFT, AMZN, Barclays, Unilever, {coined} Labs, {last} Industries, Vodafone, the S&P 500, Samsung, Netflix, {letter}{letter}{letter}`,
  ),
  coin: pool(
    `bitcoin, ethereum, solana, dogecoin, litecoin, gold, silver, crude oil, copper, natural gas, {coined}coin`,
  ),
  payee: pool(
    `the electric company, the landlord, {first}, {first} {last}, the window cleaner, the dentist, Netflix, the gym, the council, the phone company, the nursery, {coined} Energy, the plumber`,
  ),
  pot: pool(
    `holiday fund, savings, rainy day pot, emergency fund, new car, deposit, wedding, joint account, current account, checking, {noun} fund`,
  ),
  ridePlace: pool(
    `{landmark}, {address}, {city} airport, the station, {first}'s place, {brandPlace}, the office, home, Terminal {digit}, {street}, the hospital, the stadium`,
  ),
};
