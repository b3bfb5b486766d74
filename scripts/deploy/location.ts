// Where a deployment lives: one choice that places D1, R2, the coordinators and the Worker near each other. It is asked
// for once and kept in wrangler.toml.
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { isDeepStrictEqual } from "node:util";
import { parse } from "smol-toml";
import { field } from "./api.ts";
import { DeployFailure } from "./failure.ts";

/** Each location with its place in words and the cloud region that the Worker is placed beside. */
const LOCATIONS: Readonly<Record<string, readonly [place: string, region: string]>> = {
  wnam: ["western North America", "aws:us-west-2"],
  enam: ["eastern North America", "aws:us-east-1"],
  weur: ["western Europe", "aws:eu-west-1"],
  eeur: ["eastern Europe", "aws:eu-central-1"],
  apac: ["Asia-Pacific", "aws:ap-southeast-1"],
  oc: ["Oceania", "aws:ap-southeast-2"],
};

/** Whether a location is one. */
export function isLocation(text: string): boolean {
  return Object.hasOwn(LOCATIONS, text);
}

/** The locations for a usage text. */
export function locationNames(): string {
  return Object.keys(LOCATIONS).join(", ");
}

/** Asks at the terminal; undefined leaves the choice to Cloudflare, which takes the place nearest to this machine. */
export async function askForLocation(): Promise<string | undefined> {
  const places = Object.entries(LOCATIONS).map(([name, [place]]) => `  ${name}  ${place}`);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    for (;;) {
      const question = `Where are most of the clients? It cannot be changed later.\n${places.join("\n")}\n(Enter: near this machine) `;
      const answer = (await terminal.question(question)).trim().toLowerCase();
      if (answer === "") return undefined;
      if (isLocation(answer)) return answer;
    }
  } finally {
    terminal.close();
  }
}

/**
 * Writes a location into a wrangler.toml, comments left as they are.
 * @throws DeployFailure if the file is written in a way that cannot be edited line by line, such as with inline tables
 */
export function rememberLocation(file: string, location: string): void {
  const before = readFileSync(file, "utf8");
  const entries = entriesFor(parse(before), location);
  const after = entries.reduce(withEntry, before);
  if (!isSame(parsed(after), withEntries(parse(before), entries))) {
    const lines = entries
      .map(({ table, key, value }) => `${key} = ${JSON.stringify(value)} in [${table}]`)
      .join(" and ");
    throw new DeployFailure(
      `wrangler.toml cannot be changed to name the location: write ${lines} there, and deploy again.`,
    );
  }
  writeFileSync(file, after);
}

interface Entry {
  readonly table: "vars" | "placement";
  readonly key: string;
  readonly value: string;
}

/** A location as the setting LOCATION and as the Worker's placement, unless the file has another placement. */
function entriesFor(document: unknown, location: string): Entry[] {
  const placement = Object.keys(Object(field(document, "placement")));
  const isPlaced = placement.some((key) => key !== "region");
  const region = { table: "placement", key: "region", value: LOCATIONS[location]?.[1] ?? "" } as const;
  return [{ table: "vars", key: "LOCATION", value: location }, ...(isPlaced ? [] : [region])];
}

/** Sets a key of a table, which is made at the end where there is none. */
function withEntry(toml: string, { table, key, value }: Entry): string {
  const lines = toml.replace(/(\r?\n)*$/, "").split("\n");
  // A checkout on Windows ends its lines with CRLF.
  const end = lines.some((line) => line.endsWith("\r")) ? "\r" : "";
  const entry = `${key} = ${JSON.stringify(value)}${end}`;
  const header = lines.findIndex((line) => new RegExp(`^\\s*\\[\\s*${table}\\s*\\]\\s*(#.*)?$`).test(line));
  if (header < 0)
    return [...lines.slice(0, -1), `${lines.at(-1)}${end}`, end, `[${table}]${end}`, entry, ""].join("\n");
  const next = lines.findIndex((line, index) => index > header && /^\s*\[/.test(line));
  const isEntry = new RegExp(`^\\s*"?${key}"?\\s*=`);
  const old = lines.findIndex((line, index) => index > header && (next < 0 || index < next) && isEntry.test(line));
  lines.splice(old < 0 ? header + 1 : old, old < 0 ? 0 : 1, entry);
  return `${lines.join("\n").replace(/\r$/, "")}${end}\n`;
}

function withEntries(document: object, entries: readonly Entry[]): object {
  const changed = new Map<string, unknown>(Object.entries(document));
  for (const { table, key, value } of entries) {
    changed.set(table, { ...Object(changed.get(table) ?? {}), [key]: value });
  }
  return Object.fromEntries(changed);
}

function parsed(toml: string): unknown {
  try {
    return parse(toml);
  } catch {
    return undefined;
  }
}

/** Whether two documents are the same, whatever the order of their keys. */
function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(structuredClone(one), structuredClone(other));
}
