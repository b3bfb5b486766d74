// The floors of src and the purpose of each room, which the house test checks and docs/architecture.md shows.
import { replaceSection } from "./sections.ts";

/** The rooms of src by floor, lowest first. A file imports from lower floors only. */
export const FLOORS: readonly string[] = [
  "bytes",
  "protocol",
  "auth|state",
  "config",
  "contract",
  "uploads|notifications|upstream",
  "operations|jobs|iam|delivery",
  "gateway",
  "worker.ts|delivery-worker.ts",
];

/** The floors of the console, lowest first. Its screens do not import each other. */
export const CONSOLE_FLOORS: readonly string[] = ["styles", "i18n", "clients", "data", "components", "screens", "app"];

/** The floors within a room, lowest first. */
export const INNER_FLOORS: Readonly<Record<string, readonly string[]>> = {
  protocol: ["core", "forms|iam|lifecycle", "objects", "buckets|listings", "acl"],
  auth: ["policy", "identity|sigv4", "body", "access"],
  state: ["d1", "blobs|identities", "metadata", "commit|repair", "snapshots", "reads", "listings|writes", "lifecycle"],
};

/** The purpose of each room. */
const PURPOSES: Readonly<Record<string, string>> = {
  "worker.ts": "entry points of the runtime: fetch, scheduled, Durable Object",
  "delivery-worker.ts": "entry point of the Worker that only delivers",
  gateway: "front door: routes by API, authenticates, authorises, renders, logs",
  operations: "one file for each S3 operation, or for each bucket configuration",
  jobs: "scheduled work: lifecycle, garbage, orphans, scrub, rebuild",
  iam: "calls of IAM and STS",
  delivery: "sites: which object a path means, cached decisions, answers for browsers",
  notifications: "delivers events to queues and webhooks",
  uploads: "reads and checks uploads, copies, parts and forms",
  upstream: "reads missing objects from a bucket's upstream and imports them",
  contract: "declarations of operations and their context",
  config: "settings and master keys",
  auth: "signatures, identities, policies, decisions",
  state: "all SQL, and all calls of R2 and Durable Objects",
  protocol: "S3's and IAM's documents, headers and errors, without I/O",
  bytes: "encodings, digests, streams and XML; nothing of S3",
};

/** Returns a text with a fresh diagram of the floors between `<!-- floors -->` and `<!-- /floors -->`. */
export function withFreshFloors(text: string): string {
  return replaceSection(text, "floors", floorsDiagram());
}

/** @throws Error for a room without a purpose */
function floorsDiagram(): string {
  const floors = FLOORS.toReversed().map((floor) => floor.split("|").map(roomLines).join("\n"));
  return ["```text", floors.join(`\n${"─".repeat(RULE_WIDTH)}\n`), "```"].join("\n");
}

const NAME_WIDTH = Math.max(...Object.keys(PURPOSES).map((room) => room.length)) + 2;
const RULE_WIDTH = 100;

function roomLines(room: string): string {
  const purpose = PURPOSES[room];
  if (purpose === undefined) throw new Error(`the room ${room} has no purpose in scripts/docs/floors.ts`);
  const inner = INNER_FLOORS[room];
  const line = room.padEnd(NAME_WIDTH) + purpose;
  if (inner === undefined) return line;
  const rooms = inner.toReversed().map((floor) => floor.replaceAll("|", ", "));
  return `${line}\n${" ".repeat(NAME_WIDTH)}${rooms.join(" > ")}`;
}
