// Unguessable ids in base32hex (0-9, a-v), whose byte order is their numeric order.

const DIGITS = "0123456789abcdefghijklmnopqrstuv";
const TIME_DIGITS = 10;

/** The digits that are drawn from the runtime at once: a call for a few costs as much as one for some hundreds. */
const DRAWN_DIGITS = 1024;

let drawn = "";
/** How many of the drawn digits were given out. */
let used = 0;

/** Random base32hex digits, five bits each. No digit is given out twice. */
export function randomDigits(count: number): string {
  if (used + count > drawn.length) {
    drawn = draw(Math.max(DRAWN_DIGITS, count));
    used = 0;
  }
  used += count;
  return drawn.slice(used - count, used);
}

function draw(count: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(count));
  let digits = "";
  for (const byte of bytes) digits += DIGITS[byte & 31] ?? "";
  return digits;
}

/** An id that sorts by its time (milliseconds since the epoch) and ends in 130 random bits. */
export function timeOrderedId(time: number): string {
  return timePrefix(time) + randomDigits(26);
}

/** The beginning of all {@link timeOrderedId ids} of a time, and the least text above those of earlier times. */
export function timePrefix(time: number): string {
  return time.toString(32).padStart(TIME_DIGITS, "0");
}

/** The time in an id of {@link timeOrderedId}. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, TIME_DIGITS), 32);
}
