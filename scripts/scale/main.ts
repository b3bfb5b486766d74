// `npm run scale`: measures how many bytes an object takes in the database, in SQLite with the schema of the migrations, and
// prints how many objects a D1 database of 10 GB holds (docs/scale.md).
import { randomBytes } from "node:crypto";
import { readMigrations } from "../migrations/folder.ts";
import { databaseOf } from "../migrations/schema.ts";
import { readWranglerToml } from "../project/wrangler-toml.ts";
import { DATABASE_MAX_BYTES } from "../../src/state/d1/size-limit.ts";

const OBJECTS = 60_000;

interface Sample {
  readonly title: string;
  /** A key; `index` grows with time. */
  readonly key: (index: number) => string;
  readonly userMetadata: string | null;
  /** Noncurrent versions of each key. */
  readonly versions: number;
}

const SAMPLES: readonly Sample[] = [
  {
    title: "keys of 32 bytes that grow",
    key: (index) => `photos/2026/11/IMG_${pad(index, 13)}`,
    userMetadata: null,
    versions: 0,
  },
  { title: "keys of 32 random bytes", key: () => randomBytes(16).toString("hex"), userMetadata: null, versions: 0 },
  {
    title: "keys of 64 random bytes, 60 bytes of user metadata",
    key: () => randomBytes(32).toString("hex"),
    userMetadata: JSON.stringify({ description: "x".repeat(42) }),
    versions: 0,
  },
  {
    title: "keys of 96 bytes, 100 bytes of user metadata",
    key: (index) => `${randomBytes(4).toString("hex")}/${"folder/".repeat(10)}${pad(index, 17)}`,
    userMetadata: JSON.stringify({ description: "x".repeat(82) }),
    versions: 0,
  },
  {
    title: "keys of 32 random bytes, 3 noncurrent versions each",
    key: () => randomBytes(16).toString("hex"),
    userMetadata: null,
    versions: 3,
  },
];

/** The bytes that one key takes, with its versions. */
function bytesPerKey({ key, userMetadata, versions }: Sample): number {
  const toml = readWranglerToml();
  const database = databaseOf(readMigrations(toml.d1.migrationsDir).map(({ sql }) => sql));
  const size = (): number => {
    const row: unknown = database
      .prepare(
        "SELECT (SELECT page_count FROM pragma_page_count()) * (SELECT page_size FROM pragma_page_size()) AS bytes",
      )
      .get();
    return Number(Reflect.get(Object(row), "bytes"));
  };
  const columns = `bucket_id, key, version_id, is_null_version, size, etag, modified_at, owner_id, blob_id, content_type,
    system_metadata, user_metadata, tags, storage_class, checksum_algorithm, checksum_type, checksum`;
  const values =
    "?, ?, ?, 0, 123456, ?, ?, '123456789012', ?, 'image/jpeg', '{}', ?, '[]', 'STANDARD', 'CRC64NVME', 'FULL_OBJECT', ?";
  const current = database.prepare(`INSERT INTO objects (${columns}) VALUES (${values})`);
  const noncurrent = database.prepare(`INSERT INTO versions (${columns}, is_delete_marker) VALUES (${values}, 0)`);
  const before = size();
  database.exec("BEGIN");
  for (let index = 0; index < OBJECTS / (versions + 1); index += 1) {
    const name = key(index);
    for (let version = 0; version <= versions; version += 1) {
      const row = [
        BUCKET,
        name,
        randomBytes(16).toString("hex"),
        randomBytes(16).toString("hex"),
        1_790_000_000_000 + index,
        `${BUCKET}/${randomBytes(17).toString("hex")}`,
        userMetadata ?? "{}",
        randomBytes(8).toString("base64"),
      ];
      (version === 0 ? current : noncurrent).run(...row);
    }
  }
  database.exec("COMMIT");
  return (size() - before) / (OBJECTS / (versions + 1));
}

const BUCKET = "abcdefghijklmnop";

function pad(value: number, length: number): string {
  return String(value).padStart(length, "0");
}

for (const sample of SAMPLES) {
  const bytes = bytesPerKey(sample);
  const millions = DATABASE_MAX_BYTES / bytes / 1e6;
  console.log(
    `${bytes.toFixed(0).padStart(6)} bytes a key, ${millions.toFixed(1).padStart(5)} million keys in 10 GB: ${sample.title}`,
  );
}
