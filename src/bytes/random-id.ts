// Unguessable ids in base32hex (0-9, a-v), whose byte order is their numeric order.

const DIGITS = "0123456789abcdefghijklmnopqrstuv";
const CODES = Uint8Array.from(DIGITS, (digit) => digit.charCodeAt(0));
const TIME_DIGITS = 10;

/** Random base32hex digits, five bits each. */
export function randomDigits(count: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(count));
  for (let index = 0; index < count; index += 1) bytes[index] = CODES[(bytes[index] ?? 0) & 31] ?? 0;
  return String.fromCharCode(...bytes);
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
