// Unguessable ids in base32hex (0-9, a-v), whose byte order is their numeric order.

const DIGITS = "0123456789abcdefghijklmnopqrstuv";
const TIME_DIGITS = 10;

/** Random base32hex digits, five bits each. */
export function randomDigits(count: number): string {
  let text = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(count))) text += DIGITS[byte & 31];
  return text;
}

/** An id that sorts by its time (milliseconds since the epoch) and ends in 130 random bits. */
export function timeOrderedId(time: number): string {
  return time.toString(32).padStart(TIME_DIGITS, "0") + randomDigits(26);
}
