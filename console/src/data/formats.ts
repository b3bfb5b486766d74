// Formats numbers, sizes and times in the chosen language.
import { languageTag } from "../i18n/language.ts";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  const value = bytes / 1024 ** power;
  const digits = power === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const number = new Intl.NumberFormat(languageTag(), { maximumFractionDigits: digits }).format(value);
  return `${number} ${UNITS[power] ?? "B"}`;
}

/** `12,345`. */
export function formatCount(count: number): string {
  return new Intl.NumberFormat(languageTag()).format(count);
}

/** Date and time, short. */
export function formatTime(at: number): string {
  if (Number.isNaN(at)) return "–";
  return new Intl.DateTimeFormat(languageTag(), { dateStyle: "medium", timeStyle: "short" }).format(at);
}

/** The day alone. */
export function formatDay(at: number): string {
  if (Number.isNaN(at)) return "–";
  return new Intl.DateTimeFormat(languageTag(), { dateStyle: "medium" }).format(at);
}

const DURATIONS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
] as const;

/** `3 minutes`: the largest unit that fits. */
export function formatDuration(ms: number): string {
  const [unit, size] = DURATIONS.find(([, size]) => ms >= size) ?? ["second", 1000];
  const style = { style: "unit", unit, unitDisplay: "long" } as const;
  return new Intl.NumberFormat(languageTag(), style).format(Math.round(ms / size));
}

/** `in 3 minutes`, `2 days ago`. */
export function formatRelative(at: number, now: number): string {
  const difference = at - now;
  const [unit, size] = DURATIONS.find(([, size]) => Math.abs(difference) >= size) ?? ["second", 1000];
  const format = new Intl.RelativeTimeFormat(languageTag(), { numeric: "auto" });
  return format.format(Math.round(difference / size), unit);
}
