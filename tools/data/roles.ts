/**
 * Values of one kind that only their roles tell apart: names of the parameters, their slot, and how each is said. Within
 * a group no two are said alike, so that a request is clear in whatever order they come.
 */
export interface Role {
  name: string;
  /** {x} is the value. */
  said: string[];
}

/** Each row: the slot, then "name: said, said" for each role. */
const rows = `
town; origin: from {x}, out of {x}, starting in {x}; destination: to {x}, bound for {x}, ending in {x}
town; from: from {x}; to: to {x}
town; departure: leaving {x}, departing from {x}; arrival: for {x}, arriving in {x}, reaching {x}
town; start: starting at {x}, beginning in {x}; via: via {x}, by way of {x}, through {x}; end: ending at {x}, up to {x}
city; source_city: from {x}, sent from {x}; target_city: to {x}, sent to {x}; return_city: back to {x}, returned to {x}
city; birthplace: born in {x}; residence: living in {x}; workplace: working in {x}
listName; source: out of {x}, from {x}; target: into {x}, onto {x}
place; pickup: picked up at {x}, fetched from {x}, collect at {x}; dropoff: dropped at {x}, left at {x}, brought to {x}
place; meeting_point: meeting at {x}; goal: going to {x}; fallback: or else at {x}
person; sender: from {x}, sent by {x}; receiver: to {x}, addressed to {x}
person; buyer: bought by {x}; seller: sold by {x}
person; author: written by {x}, by {x}; editor: edited by {x}; reader: read by {x}
person; owner: owned by {x}, belonging to {x}; borrower: lent to {x}, borrowed by {x}
person; teacher: taught by {x}, with {x} as teacher; student: for pupil {x}, for {x}
person; doctor: with doctor {x}, seen by {x}; patient: for patient {x}, for {x}
person; driver: driven by {x}, with {x} at the wheel; passenger: carrying {x}, with {x} on board
person; manager: approved by {x}; employee: requested by {x}; deputy: covered by {x}
person; caller: called by {x}; callee: answered by {x}
first; giver: given by {x}; taker: given to {x}; witness: witnessed by {x}
plural; winner: won by {x}; loser: lost by {x}
plural; home_team: with {x} at home, at home {x}; guest_team: against {x}, visited by {x}
day; old_date: moved from {x}, from {x}; new_date: to {x}, moved to {x}
day; start_date: starting {x}, from {x}; end_date: until {x}, ending {x}
day; order_date: ordered {x}; delivery_date: delivered {x}; return_date: returned by {x}
day; check_in: checking in {x}, arriving {x}; check_out: checking out {x}, leaving {x}
clock; start_time: from {x}, starting at {x}; end_time: until {x}, ending at {x}, to {x}
clock; opens: opening at {x}; closes: closing at {x}; last_entry: last entry at {x}
clock; old_time: instead of {x}; new_time: at {x}, now at {x}
duration; work: with {x} of work, {x} on; rest: with {x} of rest, {x} off
duration; warm_up: warming up for {x}; main: going for {x}; cool_down: cooling down for {x}
integer; least: from {x}, at least {x}; most: up to {x}, at most {x}
integer; width: {x} wide, width {x}; height: {x} high, height {x}; depth: {x} deep, depth {x}
integer; rows: {x} rows, with {x} rows; columns: {x} columns, by {x} columns
smallInteger; adults: for {x} adults, {x} adults; children: for {x} children, {x} children; infants: {x} infants
smallInteger; floor: on floor {x}; door: at door {x}; bell: with bell {x}
smallInteger; row: in row {x}, row {x}; seat: on seat {x}, seat {x}
smallInteger; sets: {x} sets; reps: of {x} reps, {x} reps; rounds: for {x} rounds
degrees; low: down to {x} degrees, low {x}; high: up to {x} degrees, high {x}
percent; before: from {x} percent; after: to {x} percent
amount; subtotal: for {x} dollars; tip: with a tip of {x}; tax: plus {x} in taxes
amount; price: priced at {x}; discount: less {x} off; shipping: with {x} for shipping
currencyName; base_currency: from {x}, out of {x}; quote_currency: to {x}, into {x}
language; source_language: from {x}, written in {x}; target_language: to {x}, into {x}
room; old_room: from the {x}, out of the {x}; new_room: to the {x}, into the {x}
coined; old_name: from {x}, once called {x}; new_name: to {x}, now called {x}
coined; brand: made by {x}; product: called {x}; shop: sold at {x}
color; front: with a {x} front; back: with a {x} back; edge: with a {x} edge
color; text_color: with {x} letters; background: on a {x} ground
item; lost_item: for the lost {x}; found_item: and the found {x}
noun; label: labeled {x}; category: under {x}; shelf: on shelf {x}
folder; album: from the album {x}; playlist: onto the playlist {x}
song; song: {x}; artist: by {x}
song; title: the title {x}, {x}; performer: by {x}; record: off the record {x}
code; number: number {x}, with number {x}; code: code {x}, with code {x}; reference: reference {x}
phone; phone: on {x}, phone {x}; fax: fax {x}
email; to: to {x}; cc: cc {x}, copy to {x}; reply_to: with replies to {x}
weight; gross: {x} kilos gross; net: {x} kilos net
country; nationality: from {x}; residence_country: living in {x}; tax_country: taxed in {x}`;

/** The slot of each role, where a row's slot is not that of all its roles. */
const other: Record<string, string> = { artist: "artist", performer: "artist", record: "album" };

export interface RoleGroup {
  slot: string;
  roles: (Role & { slot: string })[];
}

export const roleGroups: RoleGroup[] = rows
  .trim()
  .split("\n")
  .map((row) => {
    const [slot, ...parts] = row.split("; ");
    const roles = parts.map((part) => {
      const [name, ways] = part.split(": ");
      return { name, said: ways.split(", "), slot: other[name] ?? slot };
    });
    return { slot, roles };
  });
