// The floors of src and what each room is for. The house test checks imports against them; docs/architecture.md shows them.
import { replaceSection } from "./tables.ts";

/** The rooms of src by floor, lowest first. A file imports from lower floors only. */
export const FLOORS: readonly string[] = [
  "bytes",
  "protocol",
  "auth|state",
  "config",
  "contract",
  "uploads",
  "operations|jobs|iam",
  "gateway",
  "worker.ts",
];

/** The floors inside a room that has several, lowest first. */
export const INNER_FLOORS: Readonly<Record<string, readonly string[]>> = {
  protocol: ["core", "forms|iam|lifecycle", "objects", "buckets|listings", "acl"],
  auth: ["policy", "identity|sigv4", "body", "access"],
  state: ["d1", "blobs|identities", "metadata", "commit|repair", "snapshots", "reads", "listings|writes", "lifecycle"],
};

/** What each room is for. */
const PURPOSES: Readonly<Record<string, string>> = {
  "worker.ts": "entry points of the runtime: fetch, scheduled, Durable Object",
  gateway: "front door: routes by API, authenticates, authorises, renders, logs",
  operations: "one file for each S3 operation, or for each bucket configuration",
  jobs: "scheduled work: lifecycle, garbage, orphans, scrub, rebuild",
  iam: "calls of IAM and STS",
  uploads: "reads and admits uploads, copies, parts and forms",
  contract: "what an operation is, and the context it runs in",
  config: "settings and master keys",
  auth: "signatures, identities, policies, decisions",
  state: "all SQL, and all calls of R2 and Durable Objects",
  protocol: "S3's and IAM's documents, headers and errors, without I/O",
  bytes: "encodings, digests, streams and XML, without a word of S3",
};

/** A text with the diagram of the floors between `<!-- floors -->` and `<!-- /floors -->` replaced. */
export function withFreshFloors(text: string): string {
  return replaceSection(text, "floors", floorsDiagram());
}

/** @throws Error for a room without a purpose */
function floorsDiagram(): string {
  const floors = FLOORS.toReversed().map((floor) => floor.split("|").map(roomLines).join("\n"));
  return ["```text", floors.join(`\n${"─".repeat(RULE_WIDTH)}\n`), "```"].join("\n");
}

const NAME_WIDTH = 12;
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
