// Where a deployment lives: one choice that places D1, R2, the coordinators and the Worker near each other. It is asked
// for once and kept in wrangler.toml.
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";

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

/** Writes a location into a wrangler.toml, comments left as they are. */
export function rememberLocation(file: string, location: string): void {
  writeFileSync(file, withLocation(readFileSync(file, "utf8"), location));
}

/** The text of a wrangler.toml with a location: as the setting LOCATION, and as the Worker's placement. */
function withLocation(toml: string, location: string): string {
  const region = LOCATIONS[location]?.[1] ?? "";
  return withEntry(withEntry(toml, "vars", "LOCATION", location), "placement", "region", region);
}

/** Sets a key of a table, which is made at the end where there is none. */
function withEntry(toml: string, table: string, key: string, value: string): string {
  const entry = `${key} = ${JSON.stringify(value)}`;
  const lines = toml.replace(/\n*$/, "\n").split("\n");
  const header = lines.indexOf(`[${table}]`);
  if (header < 0) return `${lines.join("\n")}\n[${table}]\n${entry}\n`;
  const next = lines.findIndex((line, index) => index > header && line.startsWith("["));
  const end = next < 0 ? lines.length : next;
  const old = lines.findIndex((line, index) => index > header && index < end && line.startsWith(`${key} `));
  if (old < 0) lines.splice(header + 1, 0, entry);
  else lines[old] = entry;
  return lines.join("\n");
}
