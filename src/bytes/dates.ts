// The date formats of S3's protocol. All times are milliseconds since the epoch.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const CLOCK = String.raw`(?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2})`;
const ZONE = String.raw`(?:GMT|UTC|[+-]0000)`;
/** RFC 9110 (5.6.7) requires recipients to accept three formats: the preferred one, RFC 850's and asctime's. */
const HTTP_DATES = [
  String.raw`(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\d{1,2}) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) ${CLOCK} ${ZONE}`,
  String.raw`(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\d{1,2})-(?<month>[A-Z][a-z]{2})-(?<year>\d{2}) ${CLOCK} ${ZONE}`,
  String.raw`(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?<month>[A-Z][a-z]{2}) [ ]?(?<day>\d{1,2}) ${CLOCK} (?<year>\d{4})`,
].map((pattern) => new RegExp(`^${pattern}$`));
const AMZ_DATE = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/;
const ISO_DATE = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?Z$/;

/** `Fri, 02 Jan 2026 03:04:05 GMT` (RFC 9110's preferred format), rounded down to the second. */
export function formatHttpDate(time: number): string {
  return new Date(time).toUTCString();
}

/**
 * Parses an HTTP date in any of its three formats; undefined if it is not a valid time.
 * @param now milliseconds since the epoch, which determines the century of RFC 850's years
 */
export function parseHttpDate(text: string, now = Date.now()): number | undefined {
  const trimmed = text.trim();
  const fields = HTTP_DATES.map((format) => format.exec(trimmed)?.groups).find((groups) => groups !== undefined);
  if (fields === undefined) return undefined;
  const { year = "", month = "", day, hour, minute, second } = fields;
  const index = MONTHS.indexOf(month);
  return index < 0 ? undefined : exactUtc(fullYear(year, now), index, day, hour, minute, second);
}

/** A two-digit year more than 50 years in the future belongs to the previous century (RFC 9110, 5.6.7). */
function fullYear(year: string, now: number): string {
  if (year.length === 4) return year;
  const thisYear = new Date(now).getUTCFullYear();
  const candidate = Math.floor(thisYear / 100) * 100 + Number(year);
  return String(candidate > thisYear + 50 ? candidate - 100 : candidate);
}

const DAY_MS = 86_400_000;
const TWO_DIGITS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, "0"));
const THREE_DIGITS = Array.from({ length: 1000 }, (_, number) => String(number).padStart(3, "0"));

/** The last formatted day, because the dates of a listing share few days. */
let cachedDay = Number.NaN;
let cachedDate = "";

/** `2026-01-02T03:04:05.000Z`, the format of dates in XML. */
export function formatIsoDate(time: number): string {
  const day = Math.floor(time / DAY_MS);
  if (day !== cachedDay) {
    cachedDate = new Date(time).toISOString().slice(0, -"03:04:05.000Z".length);
    cachedDay = day;
  }
  const ms = Math.floor(time) - day * DAY_MS;
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const clock = `${TWO_DIGITS[Math.floor(minutes / 60)]}:${TWO_DIGITS[minutes % 60]}:${TWO_DIGITS[seconds % 60]}`;
  return `${cachedDate}${clock}.${THREE_DIGITS[ms % 1000]}Z`;
}

/** `2026-01-02T03:04:05Z`: the same, rounded down to the second. */
export function formatIsoSeconds(time: number): string {
  return formatIsoDate(time).replace(/\.\d{3}Z$/, "Z");
}

/** Parses a date in XML, with or without a fraction; undefined if it is not a valid time. */
export function parseIsoDate(text: string): number | undefined {
  const fields = ISO_DATE.exec(text);
  if (fields === null) return undefined;
  const seconds = exactUtc(fields[1], Number(fields[2]) - 1, fields[3], fields[4], fields[5], fields[6]);
  return seconds === undefined ? undefined : seconds + Number((fields[7] ?? "").slice(0, 3).padEnd(3, "0"));
}

/** `20260102T030405Z`, the format of `x-amz-date`. */
export function formatAmzDate(time: number): string {
  return new Date(time).toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
}

/** Parses an `x-amz-date`; undefined if it is malformed or not a valid time (month 13). */
export function parseAmzDate(text: string): number | undefined {
  const fields = AMZ_DATE.exec(text);
  if (fields === null) return undefined;
  return exactUtc(fields[1], Number(fields[2]) - 1, fields[3], fields[4], fields[5], fields[6]);
}

const OFFSET_DATE = /^(?<local>.*T.*?)(?<sign>[+-])(?<hours>\d{2}):?(?<minutes>\d{2})$/;

/** Parses a date in XML that may have a UTC offset instead of `Z`; undefined if it is not a valid time. */
export function parseOffsetDate(text: string): number | undefined {
  const { local, sign, hours, minutes } = OFFSET_DATE.exec(text)?.groups ?? {};
  if (local === undefined) return parseIsoDate(text);
  const time = parseIsoDate(`${local}Z`);
  if (time === undefined || Number(hours) > 23 || Number(minutes) > 59) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return sign === "-" ? time + offset : time - offset;
}

function exactUtc(
  year: string | undefined,
  month: number,
  day: string | undefined,
  hour: string | undefined,
  minute: string | undefined,
  second: string | undefined,
): number | undefined {
  const time = Date.UTC(Number(year), month, Number(day), Number(hour), Number(minute), Number(second));
  const read = new Date(time);
  // Date.UTC reads 31 February as a day in March and year 26 as 1926, so both are rejected here.
  const isExact =
    read.getUTCFullYear() === Number(year) &&
    read.getUTCMonth() === month &&
    read.getUTCDate() === Number(day) &&
    read.getUTCHours() === Number(hour);
  return isExact && Number(minute) < 60 && Number(second) < 60 ? time : undefined;
}
