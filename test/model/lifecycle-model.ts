// The meaning of lifecycle rules, in memory and one step at a time: the oracle for the runner. It shares no code with
// the runner and reads no XML.

const DAY_MS = 86_400_000;

export type Versioning = "Enabled" | "Suspended" | undefined;

export interface ModelVersion {
  /** Identifies versions; markers that the rules create have none. */
  readonly name: string;
  readonly isMarker: boolean;
  isNull: boolean;
  readonly size: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly madeAt: number;
  storageClass: string;
}

export interface ModelUpload {
  readonly key: string;
  readonly name: string;
  readonly madeAt: number;
}

export interface ModelRule {
  readonly isEnabled: boolean;
  readonly prefix: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly above: number | undefined;
  readonly below: number | undefined;
  readonly expireDays: number | undefined;
  readonly expireDate: number | undefined;
  readonly soleMarkers: boolean;
  readonly move: { readonly days: number; readonly to: string } | undefined;
  readonly noncurrentDays: number | undefined;
  readonly keep: number | undefined;
  readonly noncurrentMove:
    | { readonly days: number; readonly to: string; readonly keep: number | undefined }
    | undefined;
  readonly abortDays: number | undefined;
}

export interface ModelBucket {
  readonly versioning: Versioning;
  /** Newest first; none is empty. */
  readonly keys: Map<string, ModelVersion[]>;
  uploads: ModelUpload[];
}

const COLDNESS: Readonly<Record<string, number>> = {
  STANDARD: 0,
  INTELLIGENT_TIERING: 2,
  GLACIER_IR: 4,
  GLACIER: 5,
};

/** The first moment of the day after the given number of days has passed. */
function midnightPast(madeAt: number, days: number): number {
  const day = new Date(madeAt + days * DAY_MS);
  day.setUTCHours(24, 0, 0, 0);
  return day.getTime();
}

function fits(rule: ModelRule, key: string, version: Pick<ModelVersion, "size" | "tags">): boolean {
  if (!rule.isEnabled || key.slice(0, rule.prefix.length) !== rule.prefix) return false;
  if (rule.above !== undefined && !(version.size > rule.above)) return false;
  if (rule.below !== undefined && !(version.size < rule.below)) return false;
  for (const [name, value] of Object.entries(rule.tags)) if (version.tags[name] !== value) return false;
  return true;
}

/** Markers and uploads are identified by their keys. */
function fitsBare(rule: ModelRule, key: string): boolean {
  const isBare = rule.above === undefined && rule.below === undefined && Object.keys(rule.tags).length === 0;
  return isBare && fits(rule, key, { size: 0, tags: {} });
}

/** One pass over everything, at a time. @param today the creation time of its delete markers */
export function pass(
  bucket: ModelBucket,
  rules: readonly ModelRule[],
  varies: boolean,
  now: number,
  today: number,
): void {
  for (const [key, versions] of Array.from(bucket.keys)) passCurrent(bucket, rules, varies, now, today, key, versions);
  for (const [key, versions] of Array.from(bucket.keys)) {
    passVersions(rules, varies, now, key, versions);
    if (versions.length === 0) bucket.keys.delete(key);
  }
  bucket.uploads = bucket.uploads.filter(
    ({ key, madeAt }) =>
      !rules.some(
        (rule) => rule.abortDays !== undefined && fitsBare(rule, key) && now >= midnightPast(madeAt, rule.abortDays),
      ),
  );
}

function passCurrent(
  { versioning, keys }: ModelBucket,
  rules: readonly ModelRule[],
  varies: boolean,
  now: number,
  today: number,
  key: string,
  versions: ModelVersion[],
): void {
  const [current] = versions;
  if (current === undefined || current.isMarker) return;
  const isExpired = rules.some(
    (rule) =>
      fits(rule, key, current) &&
      ((rule.expireDays !== undefined && now >= midnightPast(current.madeAt, rule.expireDays)) ||
        (rule.expireDate !== undefined && now >= rule.expireDate)),
  );
  const isForGood = versioning === undefined || (versioning === "Suspended" && current.isNull);
  const colder = coldest(
    rules.flatMap((rule) =>
      rule.move !== undefined && fits(rule, key, current) && now >= midnightPast(current.madeAt, rule.move.days)
        ? [{ rule, to: rule.move.to }]
        : [],
    ),
    current,
    varies,
  );
  if (colder !== undefined && !(isExpired && isForGood)) current.storageClass = colder;
  else if (isExpired && versioning === undefined) keys.delete(key);
  else if (isExpired) {
    const marker = { name: "", isMarker: true, size: 0, tags: {}, madeAt: today, storageClass: "STANDARD" };
    const kept = versioning === "Suspended" ? versions.filter(({ isNull }) => !isNull) : versions;
    keys.set(key, [{ ...marker, isNull: versioning === "Suspended" }, ...kept]);
  }
}

function passVersions(
  rules: readonly ModelRule[],
  varies: boolean,
  now: number,
  key: string,
  versions: ModelVersion[],
): void {
  const [first] = versions;
  if (first === undefined) return;
  if (first.isMarker && versions.length === 1) {
    const goes = rules.some(
      (rule) =>
        fitsBare(rule, key) &&
        // A pass at midnight sees markers that it made itself, with the clock's time, as not made yet.
        ((rule.soleMarkers && now >= first.madeAt) ||
          (rule.expireDays !== undefined && now >= midnightPast(first.madeAt, rule.expireDays)) ||
          (rule.expireDate !== undefined && now >= rule.expireDate)),
    );
    if (goes) versions.length = 0;
    return;
  }
  const gone = new Set<ModelVersion>();
  for (let index = 1; index < versions.length; index += 1) {
    const [version, successor] = [versions[index], versions[index - 1]];
    if (version === undefined || successor === undefined) continue;
    const newer = index - 1;
    const speaks = (rule: ModelRule): boolean => (version.isMarker ? fitsBare(rule, key) : fits(rule, key, version));
    const goes = rules.some(
      (rule) =>
        rule.noncurrentDays !== undefined &&
        speaks(rule) &&
        newer >= (rule.keep ?? 0) &&
        now >= midnightPast(successor.madeAt, rule.noncurrentDays),
    );
    if (goes) gone.add(version);
    if (goes || version.isMarker) continue;
    const colder = coldest(
      rules.flatMap((rule) => {
        const move = rule.noncurrentMove;
        const isDue =
          move !== undefined &&
          speaks(rule) &&
          newer >= (move.keep ?? 0) &&
          now >= midnightPast(successor.madeAt, move.days);
        return isDue ? [{ rule, to: move.to }] : [];
      }),
      version,
      varies,
    );
    if (colder !== undefined) version.storageClass = colder;
  }
  versions.splice(0, versions.length, ...versions.filter((version) => !gone.has(version)));
}

/** The class that a version gets of several candidates; undefined for none. */
function coldest(
  wanted: readonly { readonly rule: ModelRule; readonly to: string }[],
  { size, storageClass }: ModelVersion,
  varies: boolean,
): string | undefined {
  const allowed = wanted.filter(({ rule, to }) => {
    if (size >= 131_072 || rule.above !== undefined || rule.below !== undefined) return true;
    return varies && to === "GLACIER";
  });
  const shown = allowed.map(({ to }) => (to === "GLACIER" ? "GLACIER_IR" : to));
  const best = shown.toSorted((one, other) => (COLDNESS[other] ?? 0) - (COLDNESS[one] ?? 0))[0];
  return best !== undefined && (COLDNESS[best] ?? 0) > (COLDNESS[storageClass] ?? 0) ? best : undefined;
}

/** A rule as the Worker reads it. */
export function ruleXml(rule: ModelRule): string {
  const tags = Object.entries(rule.tags).map(([name, value]) => `<Tag><Key>${name}</Key><Value>${value}</Value></Tag>`);
  const predicates = [
    `<Prefix>${rule.prefix}</Prefix>`,
    ...tags,
    ...(rule.above === undefined ? [] : [`<ObjectSizeGreaterThan>${rule.above}</ObjectSizeGreaterThan>`]),
    ...(rule.below === undefined ? [] : [`<ObjectSizeLessThan>${rule.below}</ObjectSizeLessThan>`]),
  ];
  const filter = predicates.length === 1 ? predicates[0] : `<And>${predicates.join("")}</And>`;
  const kept = (count: number | undefined): string =>
    count === undefined ? "" : `<NewerNoncurrentVersions>${count}</NewerNoncurrentVersions>`;
  const { expireDays, expireDate, move, noncurrentDays, keep, noncurrentMove, abortDays } = rule;
  return [
    `<Rule><Filter>${filter}</Filter><Status>${rule.isEnabled ? "Enabled" : "Disabled"}</Status>`,
    expireDays === undefined ? "" : `<Expiration><Days>${expireDays}</Days></Expiration>`,
    expireDate === undefined ? "" : `<Expiration><Date>${new Date(expireDate).toISOString()}</Date></Expiration>`,
    rule.soleMarkers ? "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>" : "",
    move === undefined
      ? ""
      : `<Transition><Days>${move.days}</Days><StorageClass>${move.to}</StorageClass></Transition>`,
    noncurrentDays === undefined
      ? ""
      : `<NoncurrentVersionExpiration><NoncurrentDays>${noncurrentDays}</NoncurrentDays>${kept(keep)}</NoncurrentVersionExpiration>`,
    noncurrentMove === undefined
      ? ""
      : `<NoncurrentVersionTransition><NoncurrentDays>${noncurrentMove.days}</NoncurrentDays>${kept(noncurrentMove.keep)}<StorageClass>${noncurrentMove.to}</StorageClass></NoncurrentVersionTransition>`,
    abortDays === undefined
      ? ""
      : `<AbortIncompleteMultipartUpload><DaysAfterInitiation>${abortDays}</DaysAfterInitiation></AbortIncompleteMultipartUpload>`,
    "</Rule>",
  ].join("");
}
