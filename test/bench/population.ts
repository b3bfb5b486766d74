// The content of the bucket of `npm run bench:million`, its lifecycle rules, and their expected result. Each row is a
// copy of one that a request wrote, except for its identity.
import { timeOrderedId } from "../../src/bytes/random-id.ts";
import { nextVersionId } from "../../src/protocol/core/version-id.ts";
import type { OpenState } from "../../scripts/maintenance/open-state.ts";

const DAY_MS = 86_400_000;
const RULE_DAYS = 30;
const OLD_DAYS = 60;
const NEWER_DAYS = 45;
const KEYS_PER_FOLDER = 1000;
const ROWS_PER_STATEMENT = 4000;
const SMALL = 4096;
const LARGE = 2 * 1024 ** 3;

/** A key that requests put twice: its row in each table is the template of all others. */
export const TEMPLATE_KEY = "template";

/** One object in twenty. */
interface Kind {
  readonly folder: string;
  readonly isOld?: boolean;
  readonly isTagged?: boolean;
  readonly size?: number;
  /** Whether there is an older version under it. */
  readonly isReplaced?: boolean;
  /** Whether a rule expires it. */
  readonly isDue?: boolean;
}

const DATA: Kind = { folder: "data", isOld: true };

// A third of the scanned rows is deleted, by each kind of rule; rows that differ in one respect stay.
const KINDS: readonly Kind[] = [
  { folder: "tmp", isOld: true, isDue: true },
  { folder: "tmp", isOld: true, isDue: true },
  { folder: "tmp" },
  { folder: "data", isOld: true, isTagged: true, isDue: true },
  { folder: "data", isTagged: true },
  { folder: "media", isOld: true, size: LARGE, isDue: true },
  { folder: "media", isOld: true },
  { folder: "logs", isOld: true, isReplaced: true },
  { folder: "logs", isOld: true, isReplaced: true },
  { folder: "logs", isReplaced: true },
  ...Array.from({ length: 10 }, () => DATA),
];

/** The number of top-level folders of the bucket. */
export const TOP_FOLDERS = new Set(KINDS.map(({ folder }) => folder)).size;

/** The rules, as a request's document. */
export function lifecycleDocument(): string {
  const expire = `<Expiration><Days>${RULE_DAYS}</Days></Expiration>`;
  const expireVersions = `<NoncurrentVersionExpiration><NoncurrentDays>${RULE_DAYS}</NoncurrentDays></NoncurrentVersionExpiration>`;
  const rules = [
    rule("by-prefix", "<Prefix>tmp/</Prefix>", expire),
    rule("by-tag", "<Tag><Key>class</Key><Value>scratch</Value></Tag>", expire),
    rule("by-size", `<ObjectSizeGreaterThan>${LARGE / 2}</ObjectSizeGreaterThan>`, expire),
    rule("noncurrent", "<Prefix>logs/</Prefix>", expireVersions),
  ];
  return `<LifecycleConfiguration>${rules.join("")}</LifecycleConfiguration>`;
}

function rule(id: string, filter: string, action: string): string {
  return `<Rule><ID>${id}</ID><Status>Enabled</Status><Filter>${filter}</Filter>${action}</Rule>`;
}

/** Rows of a bucket, as a count returns them. */
export interface Population {
  readonly objects: number;
  readonly versions: number;
  readonly deleteMarkers: number;
}

/** The composition of the given number of keys, the template's among them. */
export function populationOf(keys: number): Population {
  const kinds = kindsOf(keys);
  return { objects: keys + 1, versions: kinds.filter(({ isReplaced }) => isReplaced).length + 1, deleteMarkers: 0 };
}

/** The effect of a pass on them, in the terms of its report. */
export function actsOn(keys: number): { readonly deleteMarkersMade: number; readonly versionsRemoved: number } {
  const kinds = kindsOf(keys);
  return {
    deleteMarkersMade: kinds.filter(({ isDue }) => isDue).length,
    versionsRemoved: kinds.filter(({ isReplaced, isOld }) => isReplaced === true && isOld === true).length,
  };
}

/** The result of a pass: each expired object stays as a noncurrent version under its delete marker. */
export function leftOf(keys: number): Population {
  const { objects, versions } = populationOf(keys);
  const { deleteMarkersMade, versionsRemoved } = actsOn(keys);
  return {
    objects: objects - deleteMarkersMade,
    versions: versions + deleteMarkersMade - versionsRemoved,
    deleteMarkers: deleteMarkersMade,
  };
}

function kindsOf(keys: number): Kind[] {
  return Array.from({ length: keys }, (_, index) => KINDS[index % KINDS.length] ?? DATA);
}

/** Fills the only bucket of a state folder that is not being served. */
export async function fill(database: OpenState["database"], keys: number, now: number): Promise<void> {
  const bucketId = (await database.prepare("SELECT id FROM buckets").first<string>("id")) ?? "";
  const objects = await copyRows(database, "objects", bucketId, TEMPLATE_KEY);
  const versions = await copyRows(database, "versions", bucketId, TEMPLATE_KEY);
  const kinds = kindsOf(keys);
  for (let start = 0; start < keys; start += ROWS_PER_STATEMENT) {
    const page = kinds.slice(start, start + ROWS_PER_STATEMENT).map((kind, index) => {
      const number = start + index;
      const folder = String(Math.floor(number / KEYS_PER_FOLDER)).padStart(5, "0");
      return { kind, key: `${kind.folder}/${folder}/${String(number).padStart(8, "0")}` };
    });
    const current = page.map(({ kind, key }) => rowOf(bucketId, kind, key, ageOf(kind, now)));
    const replaced = page
      .filter(({ kind }) => kind.isReplaced)
      .map(({ kind, key }) => rowOf(bucketId, kind, key, now - OLD_DAYS * DAY_MS));
    await database.batch([objects(current), versions(replaced)]);
  }
}

function ageOf({ isOld, isReplaced }: Kind, now: number): number {
  if (isOld !== true) return now - DAY_MS;
  return now - (isReplaced === true ? NEWER_DAYS : OLD_DAYS) * DAY_MS;
}

/** The columns that differ per row. */
function rowOf(bucketId: string, { size = SMALL, isTagged }: Kind, key: string, madeAt: number): unknown {
  return {
    key,
    version_id: nextVersionId(madeAt, undefined),
    size,
    modified_at: madeAt,
    blob_id: `${bucketId}/${timeOrderedId(madeAt)}`,
    tags: isTagged === true ? JSON.stringify([["class", "scratch"]]) : null,
  };
}

/** Builds statements that insert copies of the rows of a template's key, with their own values. */
export async function copyRows(
  database: OpenState["database"],
  table: "objects" | "versions",
  bucketId: string,
  templateKey: string,
) {
  const { results } = await database.prepare(`SELECT name FROM pragma_table_info('${table}')`).all<{ name: string }>();
  const columns = results.map(({ name }) => name);
  const own = new Set(["key", "version_id", "size", "modified_at", "blob_id", "tags"]);
  const values = columns.map((name) => (own.has(name) ? `r.value ->> '${name}'` : `t.${name}`));
  const insert = database.prepare(
    `INSERT INTO ${table} (${columns.join(", ")}) SELECT ${values.join(", ")}
     FROM json_each(?1) r CROSS JOIN ${table} t ON t.bucket_id = ?2 AND t.key = ?3`,
  );
  return (rows: readonly unknown[]) => insert.bind(JSON.stringify(rows), bucketId, templateKey);
}
