// The date formats on S3's wire. All times are milliseconds since the epoch.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const HTTP_DATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) (?:GMT|UTC|\+0000)$/;
const AMZ_DATE = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/;
const ISO_DATE = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?Z$/;

/** `Fri, 02 Jan 2026 03:04:05 GMT` (RFC 9110's preferred format), to the second below. */
export function formatHttpDate(time: number): string {
  return new Date(time).toUTCString();
}

/** The time of an HTTP date in its preferred format, or undefined. */
export function parseHttpDate(text: string): number | undefined {
  const fields = HTTP_DATE.exec(text.trim());
  if (fields === null) return undefined;
  const month = MONTHS.indexOf(fields[2] ?? "");
  return month < 0 ? undefined : exactUtc(fields[3], month, fields[1], fields[4], fields[5], fields[6]);
}

/** `2026-01-02T03:04:05.000Z`, the format of dates in XML. */
export function formatIsoDate(time: number): string {
  return new Date(time).toISOString();
}

/** `2026-01-02T03:04:05Z`: the same to the second below. */
export function formatIsoSeconds(time: number): string {
  return formatIsoDate(time).replace(/\.\d{3}Z$/, "Z");
}

/** The time of a date as XML holds it (the fraction may be missing), or undefined where it names no moment. */
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

/** The time of an `x-amz-date`, or undefined where it is not one or names no moment (month 13). */
export function parseAmzDate(text: string): number | undefined {
  const fields = AMZ_DATE.exec(text);
  if (fields === null) return undefined;
  return exactUtc(fields[1], Number(fields[2]) - 1, fields[3], fields[4], fields[5], fields[6]);
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
  // Date.UTC rolls 31 February over into March and takes year 26 for 1926: such a text names no moment.
  const isExact =
    read.getUTCFullYear() === Number(year) &&
    read.getUTCMonth() === month &&
    read.getUTCDate() === Number(day) &&
    read.getUTCHours() === Number(hour);
  return isExact && Number(minute) < 60 && Number(second) < 60 ? time : undefined;
}
