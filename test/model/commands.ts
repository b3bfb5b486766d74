// The requests of random sequences, as data. Versions, uploads and ETags are looked up when a command runs, so that a
// shrunk sequence still makes sense.
import {
  array,
  boolean,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  option,
  record,
  subarray,
  tuple,
  uniqueArray,
  type Arbitrary,
} from "fast-check";

export const BUCKETS = ["one", "two"] as const;
/** Never written to by a sequence: contains an object large enough to be copied as a part that is not the last. */
export const BIG_BUCKET = "big";
export const KEYS = ["a", "b/c", "d é+"] as const;
export const BODIES = ["", "x", "yy", "0123456789"] as const;
/** Inclusive. The third and fourth only fit the big object. */
export const RANGES = [
  [0, 0],
  [1, 2],
  [0, 5 * 1024 ** 2 - 1],
  [3, 5 * 1024 ** 2 + 3],
] as const;

export type BucketChoice = (typeof BUCKETS)[number];
export type KeyChoice = (typeof KEYS)[number];
/** A number counts the versions of the key back from the newest. */
export type VersionChoice = number | "null" | "unknown" | undefined;
export type VersioningChoice = "Enabled" | "Suspended";
export type TagsChoice = Readonly<Record<string, string>>;
/** The condition of a write on the current version: none, that it is missing, its ETag, or another's. */
export type When = "always" | "absent" | "same" | "other";

export interface Place {
  readonly bucket: BucketChoice;
  readonly key: KeyChoice;
}

export interface SourceChoice {
  readonly bucket: BucketChoice | typeof BIG_BUCKET;
  readonly key: KeyChoice;
  readonly version: VersionChoice;
}

export type PartChoice =
  | { readonly body: string }
  | { readonly source: SourceChoice; readonly range: readonly [number, number] | undefined };

export interface DeletionChoice {
  readonly key: KeyChoice;
  readonly version: VersionChoice;
  readonly when: "always" | "same" | "other";
}

export type Command =
  | { readonly op: "put"; readonly at: Place; readonly body: string; readonly tags: TagsChoice; readonly when: When }
  | {
      readonly op: "get";
      readonly at: Place;
      readonly version: VersionChoice;
      readonly range: readonly [number, number] | undefined;
    }
  | {
      readonly op: "delete";
      readonly at: Place;
      readonly version: VersionChoice;
      readonly when: "always" | "same" | "other";
    }
  | { readonly op: "deleteObjects"; readonly bucket: BucketChoice; readonly deletions: readonly DeletionChoice[] }
  | {
      readonly op: "copy";
      readonly at: Place;
      readonly source: SourceChoice;
      readonly isReplaced: boolean;
      readonly tags: TagsChoice | undefined;
      readonly when: When;
    }
  | {
      readonly op: "rename";
      readonly at: Place;
      readonly from: KeyChoice;
      readonly token: string | undefined;
      readonly when: When;
    }
  | { readonly op: "putTags"; readonly at: Place; readonly version: VersionChoice; readonly tags: TagsChoice }
  | { readonly op: "deleteTags"; readonly at: Place; readonly version: VersionChoice }
  | { readonly op: "getTags"; readonly at: Place; readonly version: VersionChoice }
  | { readonly op: "list" | "listVersions" | "listUploads"; readonly bucket: BucketChoice; readonly pageSize: number }
  | { readonly op: "setVersioning"; readonly bucket: BucketChoice; readonly versioning: "Enabled" | "Suspended" }
  | { readonly op: "remakeBucket"; readonly bucket: BucketChoice }
  | { readonly op: "collectGarbage" }
  | { readonly op: "createUpload"; readonly at: Place; readonly tags: TagsChoice }
  | { readonly op: "part"; readonly upload: number; readonly number: number; readonly part: PartChoice }
  | {
      readonly op: "complete";
      readonly upload: number;
      readonly numbers: readonly number[];
      readonly isStale: boolean;
      readonly when: When;
    }
  | { readonly op: "abort"; readonly upload: number }
  | { readonly op: "listParts"; readonly upload: number }
  | { readonly op: "multipart"; readonly at: Place; readonly parts: readonly PartChoice[] };

export type CommandOf<Op extends Command["op"]> = Extract<Command, { readonly op: Op }>;

export interface Sequence {
  readonly one: VersioningChoice | undefined;
  readonly two: VersioningChoice | undefined;
  readonly commands: readonly Command[];
}

// Few keys, and most requests on the same one: the interesting cases are between requests.
const bucket = constantFrom<BucketChoice>("one", "one", "two");
const key = constantFrom<KeyChoice>("a", "a", "a", "b/c", "d é+");
const at = record({ bucket, key });
const body = constantFrom(...BODIES);
const tags = constantFrom<TagsChoice>({}, {}, { t: "1" }, { t: "2", "u v": "é" });
const versioning = constantFrom<VersioningChoice>("Enabled", "Suspended");
const range = constantFrom(undefined, undefined, ...RANGES);
const upload = nat(3);
const when = rarely<When>("always", "absent", "same", "other");
const whenDeleted = rarely<"always" | "same" | "other">("always", "same", "other");
const named = oneof(
  weighted(6, nat(5)),
  weighted(3, constant<VersionChoice>("null")),
  weighted(1, constant<VersionChoice>("unknown")),
);
const version = oneof(constant<VersionChoice>(undefined), named);
const bigSource = constant<SourceChoice>({ bucket: BIG_BUCKET, key: KEYS[0], version: undefined });
const source = oneof(weighted(5, record({ bucket, key, version })), weighted(1, bigSource));
const lastPart: Arbitrary<PartChoice> = oneof(record({ body }), record({ source, range }));
/** Long enough to be followed by another part. */
const longPart: Arbitrary<PartChoice> = record({
  source: bigSource,
  range: constantFrom(RANGES[2], RANGES[3], undefined),
});
const deletion = oneof(
  record({ key, version: constant(undefined), when: whenDeleted }),
  record({ key, version: named, when: constant<"always">("always") }),
);

export const command: Arbitrary<Command> = oneof(
  weighted(14, record({ op: constant<"put">("put"), at, body, tags, when })),
  weighted(3, record({ op: constant<"get">("get"), at, version, range })),
  weighted(5, record({ op: constant<"delete">("delete"), at, version: constant(undefined), when: whenDeleted })),
  weighted(9, record({ op: constant<"delete">("delete"), at, version: named, when: constant<"always">("always") })),
  weighted(
    4,
    record({
      op: constant<"deleteObjects">("deleteObjects"),
      bucket,
      deletions: uniqueArray(deletion, { minLength: 1, maxLength: 5, selector: (one) => `${one.key} ${one.version}` }),
    }),
  ),
  weighted(
    9,
    record({
      op: constant<"copy">("copy"),
      at,
      source,
      isReplaced: boolean(),
      tags: option(tags, { nil: undefined }),
      when,
    }),
  ),
  weighted(
    5,
    record({
      op: constant<"rename">("rename"),
      at,
      from: key,
      token: constantFrom(undefined, undefined, "t1", "t2"),
      when,
    }),
  ),
  weighted(2, record({ op: constant<"putTags">("putTags"), at, version, tags })),
  weighted(2, record({ op: constantFrom<"deleteTags" | "getTags">("deleteTags", "getTags"), at, version })),
  weighted(
    2,
    record({
      op: constantFrom<"list" | "listVersions" | "listUploads">("list", "listVersions", "listUploads"),
      bucket,
      pageSize: constantFrom(1, 2, 1000),
    }),
  ),
  weighted(3, record({ op: constant<"setVersioning">("setVersioning"), bucket, versioning })),
  weighted(1, record({ op: constant<"remakeBucket">("remakeBucket"), bucket })),
  weighted(2, record({ op: constant<"collectGarbage">("collectGarbage") })),
  weighted(3, record({ op: constant<"createUpload">("createUpload"), at, tags })),
  weighted(
    7,
    record({
      op: constant<"part">("part"),
      upload,
      number: integer({ min: 1, max: 3 }),
      part: oneof(lastPart, lastPart, longPart),
    }),
  ),
  weighted(
    5,
    record({
      op: constant<"complete">("complete"),
      upload,
      numbers: subarray([1, 2, 3], { minLength: 1 }),
      isStale: rarely(false, true),
      when,
    }),
  ),
  weighted(2, record({ op: constantFrom<"abort" | "listParts">("abort", "listParts"), upload })),
  weighted(
    4,
    record({
      op: constant<"multipart">("multipart"),
      at,
      parts: tuple(array(longPart, { maxLength: 1 }), lastPart).map(([long, last]) => long.concat([last])),
    }),
  ),
);

/** The initial state of the two buckets, and the requests. */
export const sequence = (maxLength: number): Arbitrary<Sequence> => {
  const initial = constantFrom<VersioningChoice | undefined>(undefined, "Enabled", "Enabled", "Suspended");
  return record({ one: initial, two: initial, commands: array(command, { minLength: 1, maxLength, size: "max" }) });
};

function weighted<Value>(weight: number, arbitrary: Arbitrary<Value>): { weight: number; arbitrary: Arbitrary<Value> } {
  return { weight, arbitrary };
}

/** Mostly the usual value. */
function rarely<Value>(usual: Value, ...others: readonly Value[]): Arbitrary<Value> {
  return oneof(weighted(6, constant(usual)), weighted(1, constantFrom(...others)));
}
