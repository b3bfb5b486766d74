import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { expiresAfter, lifecycleOf, prefixed, putLifecycle, rule, sendLifecycle } from "../support/lifecycle.ts";
import { expectUntouched } from "../support/rows.ts";

const MINIMUM = "x-amz-transition-default-minimum-object-size";

const date = (text: string): string => `<Expiration><Date>${text}</Date></Expiration>`;
const transition = (days: number | string, storageClass = "STANDARD_IA"): string =>
  `<Transition><Days>${days}</Days><StorageClass>${storageClass}</StorageClass></Transition>`;
const dated = (day: string, storageClass = "STANDARD_IA"): string =>
  `<Transition><Date>${day}T00:00:00Z</Date><StorageClass>${storageClass}</StorageClass></Transition>`;
const noncurrent = (days: number | string, newer?: number | string): string =>
  `<NoncurrentVersionExpiration><NoncurrentDays>${days}</NoncurrentDays>${newer === undefined ? "" : `<NewerNoncurrentVersions>${newer}</NewerNoncurrentVersions>`}</NoncurrentVersionExpiration>`;
const noncurrentTransition = (days: number | string, storageClass = "GLACIER"): string =>
  `<NoncurrentVersionTransition><NoncurrentDays>${days}</NoncurrentDays><StorageClass>${storageClass}</StorageClass></NoncurrentVersionTransition>`;
const abort = (days: number | string): string =>
  `<AbortIncompleteMultipartUpload><DaysAfterInitiation>${days}</DaysAfterInitiation></AbortIncompleteMultipartUpload>`;
const MARKERS = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
const TAG = "<Tag><Key>k</Key><Value>v</Value></Tag>";
const tagged = { filter: `<Filter>${TAG}</Filter>` };
const filtered = (content: string): { filter: string } => ({ filter: `<Filter>${content}</Filter>` });
const anded = (content: string): { filter: string } => filtered(`<And>${content}</And>`);
const legacy = (prefix: string): { filter: string } => ({ filter: `<Prefix>${prefix}</Prefix>` });

describe("PutBucketLifecycleConfiguration", () => {
  it("replaces all rules, and never merges", async () => {
    const bucket = await freshBucket();
    await putLifecycle(bucket, rule(expiresAfter(1), { id: "a" }), rule(expiresAfter(2), { id: "b" }));
    const response = await sendLifecycle(bucket, lifecycleOf(rule(expiresAfter(3), { id: "c" })));
    expect(response.status).toBe(200);
    expect(response.headers.get(MINIMUM)).toBe("all_storage_classes_128K");
    expect(await response.text()).toBe("");
    expectAnswerHeaders(response);
    expect(costOf(response)).toMatchObject({ roundTrips: 2, coordinatorCalls: 0, blobCalls: 0 });
    const text = await (await send("GET", `/${bucket}?lifecycle`)).text();
    expect(text.match(/<ID>.*?<\/ID>/g)).toEqual(["<ID>c</ID>"]);
  });

  it.each([
    ["a legacy prefix", rule(expiresAfter(1), legacy("logs/"))],
    ["an empty legacy prefix", rule(expiresAfter(1), legacy(""))],
    ["an empty filter", rule(expiresAfter(1))],
    ["an empty prefix in a filter", rule(expiresAfter(1), prefixed(""))],
    ["a tag", rule(expiresAfter(1), tagged)],
    ["a tag without a value", rule(expiresAfter(1), filtered("<Tag><Key>k</Key><Value/></Tag>"))],
    ["a size of nothing", rule(expiresAfter(1), filtered("<ObjectSizeGreaterThan>0</ObjectSizeGreaterThan>"))],
    ["several predicates", rule(expiresAfter(1), anded(`<Prefix/>${TAG}<ObjectSizeLessThan>9</ObjectSizeLessThan>`))],
    ["two tags", rule(expiresAfter(1), anded(`${TAG}<Tag><Key>K</Key><Value>v</Value></Tag>`))],
    ["uploads alone", rule(abort(7), prefixed("tmp/"))],
    ["delete markers alone", rule(MARKERS)],
    ["a disabled rule", rule(expiresAfter(1), { status: "Disabled" })],
    ["a date", rule(date("2030-01-01T00:00:00.000Z"))],
    ["a date with an offset of none", rule(date("2030-01-01T00:00:00+00:00"))],
    ["a transition before the end", rule(transition(30) + transition(90, "GLACIER") + expiresAfter(91))],
    ["a transition at once", rule(transition(0, "GLACIER"))],
    ["dates", rule(dated("2030-01-01") + date("2030-01-02T00:00:00Z"))],
    ["noncurrent versions", rule(noncurrentTransition(0) + noncurrent(1, 100))],
    ["the greatest number of days", rule(expiresAfter(2_147_483_647))],
    ["an ID of 255 characters", rule(expiresAfter(1), { id: "é".repeat(255) })],
    ["a prefix of 1024 bytes", rule(expiresAfter(1), prefixed("p".repeat(1024)))],
    ["prefixes that overlap", rule(expiresAfter(1), prefixed("a")) + rule(expiresAfter(9), prefixed("ab"))],
    ["the same rule twice", rule(expiresAfter(1)) + rule(expiresAfter(1))],
    ["1000 rules", rule(expiresAfter(1)).repeat(1000)],
  ])("takes %s", async (_name, rules) => {
    const bucket = await freshBucket();
    await putLifecycle(bucket, rules);
  });

  const malformed = { status: 400, code: "MalformedXML" };
  const invalid = (message: string) => ({ status: 400, code: "InvalidArgument", message });
  const refused = (message: string) => ({ status: 400, code: "InvalidRequest", message });
  const positive = "'Days' for Expiration action must be a positive integer";
  const midnight = "'Date' must be at midnight GMT";
  const sameId = "Rule ID must be unique. Found same ID for more than one rule";
  const secondKind = "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.";
  const mixed = (of: string) =>
    `Found mixed 'Date' and 'Days' based ${of} actions in lifecycle rule for filter '(prefix=)'`;

  it.each([
    ["no XML", "{}", malformed],
    ["nothing", "", malformed],
    ["another document", "<LifecycleRules/>", malformed],
    ["no rules", lifecycleOf(), malformed],
    ["something else among the rules", lifecycleOf("<Rules/>"), malformed],
    ["neither a prefix nor a filter", lifecycleOf(rule(expiresAfter(1), { filter: "" })), malformed],
    ["both", lifecycleOf(rule(expiresAfter(1), { filter: "<Prefix/><Filter/>" })), malformed],
    ["no status", lifecycleOf(`<Rule><Filter/>${expiresAfter(1)}</Rule>`), malformed],
    ["another status", lifecycleOf(rule(expiresAfter(1), { status: "enabled" })), malformed],
    ["an unknown element", lifecycleOf(rule(`${expiresAfter(1)}<Priority>1</Priority>`)), malformed],
    ["an element twice", lifecycleOf(rule(expiresAfter(1) + expiresAfter(2))), malformed],
    ["two predicates without And", lifecycleOf(rule(expiresAfter(1), filtered(`<Prefix>a</Prefix>${TAG}`))), malformed],
    ["And of one", lifecycleOf(rule(expiresAfter(1), anded(TAG))), malformed],
    ["And of none", lifecycleOf(rule(expiresAfter(1), anded(""))), malformed],
    [
      "And beside another",
      lifecycleOf(rule(expiresAfter(1), filtered(`<And>${TAG}<Prefix/></And><Prefix/>`))),
      malformed,
    ],
    ["a prefix twice", lifecycleOf(rule(expiresAfter(1), anded("<Prefix>a</Prefix><Prefix>b</Prefix>"))), malformed],
    ["a tag without a key", lifecycleOf(rule(expiresAfter(1), filtered("<Tag><Value/></Tag>"))), malformed],
    ["an empty tag key", lifecycleOf(rule(expiresAfter(1), filtered("<Tag><Key/><Value/></Tag>"))), malformed],
    [
      "a size that is none",
      lifecycleOf(rule(expiresAfter(1), filtered("<ObjectSizeLessThan>1K</ObjectSizeLessThan>"))),
      malformed,
    ],
    ["an empty expiration", lifecycleOf(rule("<Expiration/>")), malformed],
    [
      "days and a date",
      lifecycleOf(rule("<Expiration><Days>1</Days><Date>2030-01-01T00:00:00Z</Date></Expiration>")),
      malformed,
    ],
    [
      "markers and days",
      lifecycleOf(
        rule("<Expiration><Days>1</Days><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"),
      ),
      malformed,
    ],
    ["a marker that is neither", lifecycleOf(rule(MARKERS.replace("true", "yes"))), malformed],
    ["days of no number", lifecycleOf(rule(expiresAfter("one"))), malformed],
    ["days of a fraction", lifecycleOf(rule(expiresAfter("1.5"))), malformed],
    ["more days than fit", lifecycleOf(rule(expiresAfter("99999999999"))), malformed],
    ["days beyond all measure", lifecycleOf(rule(expiresAfter("9".repeat(400)))), malformed],
    ["a date that is none", lifecycleOf(rule(date("2030-02-30T00:00:00Z"))), malformed],
    ["a transition to STANDARD", lifecycleOf(rule(transition(30, "STANDARD"))), malformed],
    ["a transition to nowhere", lifecycleOf(rule("<Transition><Days>30</Days></Transition>")), malformed],
    [
      "a transition at no time",
      lifecycleOf(rule("<Transition><StorageClass>GLACIER</StorageClass></Transition>")),
      malformed,
    ],
    [
      "noncurrent versions without days",
      lifecycleOf(
        rule(
          "<NoncurrentVersionExpiration><NewerNoncurrentVersions>1</NewerNoncurrentVersions></NoncurrentVersionExpiration>",
        ),
      ),
      malformed,
    ],
    ["an abort without days", lifecycleOf(rule("<AbortIncompleteMultipartUpload/>")), malformed],
    [
      "1001 rules",
      lifecycleOf(rule(expiresAfter(1)).repeat(1001)),
      refused("The number of lifecycle rules must not exceed the allowed limit of 1000 rules."),
    ],
    [
      "an ID of 256 characters",
      lifecycleOf(rule(expiresAfter(1), { id: "i".repeat(256) })),
      invalid("ID length should not exceed allowed limit of 255"),
    ],
    [
      "an ID twice",
      lifecycleOf(rule(expiresAfter(1), { id: "i" }), rule(expiresAfter(2), { id: "i" })),
      invalid(sameId),
    ],
    ["no action", lifecycleOf(rule("")), refused("At least one action needs to be specified in a rule")],
    ["0 days", lifecycleOf(rule(expiresAfter(0))), invalid(positive)],
    ["-1 days", lifecycleOf(rule(expiresAfter(-1))), invalid(positive)],
    ["a date after midnight", lifecycleOf(rule(date("2030-01-01T00:00:01Z"))), invalid(midnight)],
    [
      "a date in a transition after midnight",
      lifecycleOf(rule(dated("2030-01-01").replace("00Z", "01Z"))),
      invalid(midnight),
    ],
    [
      "0 noncurrent days",
      lifecycleOf(rule(noncurrent(0))),
      invalid("'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer"),
    ],
    [
      "0 newer versions",
      lifecycleOf(rule(noncurrent(1, 0))),
      invalid("'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be an integer between 1 and 100"),
    ],
    [
      "101 newer versions",
      lifecycleOf(rule(noncurrent(1, 101))),
      invalid("'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be an integer between 1 and 100"),
    ],
    [
      "an abort after 0 days",
      lifecycleOf(rule(abort(0))),
      invalid("'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer"),
    ],
    [
      "a transition after -1 days",
      lifecycleOf(rule(transition(-1, "GLACIER"))),
      invalid("'Days' in Transition action must be nonnegative"),
    ],
    [
      "infrequent access after 29 days",
      lifecycleOf(rule(transition(29))),
      invalid("'Days' in Transition action must be greater than or equal to 30 for storageClass 'STANDARD_IA'"),
    ],
    [
      "one zone after 29 noncurrent days",
      lifecycleOf(rule(noncurrentTransition(29, "ONEZONE_IA"))),
      invalid(
        "'NoncurrentDays' in NoncurrentVersionTransition action must be greater than or equal to 30 for storageClass 'ONEZONE_IA'",
      ),
    ],
    [
      "an end on the day of the transition",
      lifecycleOf(rule(transition(30) + expiresAfter(30), prefixed("a/"))),
      invalid(
        "'Days' in the Expiration action for filter '(prefix=a/)' must be greater than 'Days' in the Transition action",
      ),
    ],
    [
      "an end on the date of the transition",
      lifecycleOf(rule(dated("2030-01-01") + date("2030-01-01T00:00:00Z"))),
      invalid(
        "'Date' in the Expiration action for filter '(prefix=)' must be later than 'Date' in the Transition action",
      ),
    ],
    [
      "an end of noncurrent versions at their transition",
      lifecycleOf(rule(noncurrentTransition(5) + noncurrent(5))),
      invalid(
        "'NoncurrentDays' in the NoncurrentVersionExpiration action for filter '(prefix=)' must be greater than 'NoncurrentDays' in the NoncurrentVersionTransition action",
      ),
    ],
    [
      "a colder class as early",
      lifecycleOf(rule(transition(30) + transition(30, "GLACIER"))),
      invalid(
        "'Days' in the 'Transition' action for StorageClass 'GLACIER' for filter '(prefix=)' must be greater than 'Days' in the 'Transition' action for StorageClass 'STANDARD_IA' for filter '(prefix=)'",
      ),
    ],
    [
      "a class twice",
      lifecycleOf(rule(transition(30) + transition(31))),
      refused("'StorageClass' must be different for 'Transition' actions in same 'Rule' with filter '(prefix=)'"),
    ],
    [
      "dates among days",
      lifecycleOf(rule(transition(30) + dated("2030-01-01", "GLACIER"))),
      refused(mixed("Transition")),
    ],
    [
      "days against a date",
      lifecycleOf(rule(transition(30) + date("2030-01-01T00:00:00Z"))),
      refused(mixed("Expiration and Transition")),
    ],
    [
      "a tag key twice",
      lifecycleOf(rule(expiresAfter(1), anded(TAG + TAG.replace("v", "w")))),
      refused("Duplicate Tag Keys are not allowed."),
    ],
    [
      "a tag key of 129 characters",
      lifecycleOf(rule(expiresAfter(1), filtered(`<Tag><Key>${"k".repeat(129)}</Key><Value/></Tag>`))),
      refused("A Tag's Key must be a length between 1 and 128."),
    ],
    [
      "sizes that nothing has",
      lifecycleOf(
        rule(
          expiresAfter(1),
          anded("<ObjectSizeGreaterThan>5</ObjectSizeGreaterThan><ObjectSizeLessThan>5</ObjectSizeLessThan>"),
        ),
      ),
      refused("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'."),
    ],
    [
      "a negative size",
      lifecycleOf(rule(expiresAfter(1), filtered("<ObjectSizeGreaterThan>-1</ObjectSizeGreaterThan>"))),
      refused("'ObjectSizeGreaterThan' should be between 0 and 1099511627776000."),
    ],
    [
      "smaller than nothing",
      lifecycleOf(rule(expiresAfter(1), filtered("<ObjectSizeLessThan>0</ObjectSizeLessThan>"))),
      refused("'ObjectSizeLessThan' should be between 1 and 1099511627776000."),
    ],
    [
      "markers by tag",
      lifecycleOf(rule(MARKERS, tagged)),
      refused("ExpiredObjectDeleteMarker cannot be specified with Tags."),
    ],
    [
      "uploads by tag",
      lifecycleOf(rule(abort(1), tagged)),
      refused("AbortIncompleteMultipartUpload cannot be specified with Tags."),
    ],
    [
      "uploads by size",
      lifecycleOf(rule(abort(1), filtered("<ObjectSizeLessThan>9</ObjectSizeLessThan>"))),
      refused("AbortIncompleteMultipartUpload cannot be specified with Object Size."),
    ],
    [
      "a prefix after a filter",
      lifecycleOf(rule(expiresAfter(1)), rule(expiresAfter(1), legacy("a"))),
      refused(secondKind),
    ],
    [
      "a filter after a prefix",
      lifecycleOf(rule(expiresAfter(1), legacy("a")), rule(expiresAfter(1))),
      refused("Filter element can only be used in Lifecycle V2."),
    ],
    [
      "newer versions without a filter",
      lifecycleOf(rule(noncurrent(1, 1), legacy(""))),
      refused("NewerNoncurrentVersions element can only be used in Lifecycle V2."),
    ],
    [
      "a prefix of 1025 bytes",
      lifecycleOf(rule(expiresAfter(1), prefixed("p".repeat(1025)))),
      invalid("The maximum size of a prefix is 1024"),
    ],
    [
      "one unsound rule among sound ones",
      lifecycleOf(rule(expiresAfter(1)), rule(expiresAfter(0)), rule(expiresAfter(1))),
      invalid(positive),
    ],
  ])("refuses %s and keeps the rules there are", async (_name, document, expected) => {
    const bucket = await freshBucket();
    await putLifecycle(bucket, rule(expiresAfter(1), { id: "kept" }));
    await expectUntouched(bucket, async () => expectS3Error(await sendLifecycle(bucket, document), expected));
  });

  it("stores the maximum number of rules, with the longest IDs and prefixes", async () => {
    const bucket = await freshBucket();
    const rules = Array.from({ length: 1000 }, (_, index) =>
      rule(expiresAfter(1), { ...prefixed("p".repeat(1024)), id: String(index).padStart(255, "0") }),
    );
    expect((await sendLifecycle(bucket, lifecycleOf(...rules))).status).toBe(200);
    const kept = await (await send("GET", `/${bucket}?lifecycle`)).text();
    expect(kept.split("<Rule>")).toHaveLength(1001);
    const put = await send("PUT", `/${bucket}/${"p".repeat(1024)}`, { body: "x" });
    expect(put.headers.get("x-amz-expiration")).toContain("rule-id");
    expect((await send("DELETE", `/${bucket}?lifecycle`)).status).toBe(204);
  });

  it("rejects a configuration over the size limit", async () => {
    const bucket = await freshBucket();
    const long = Array.from({ length: 1000 }, () => rule(expiresAfter(1), prefixed('"'.repeat(1024))));
    await expectS3Error(await sendLifecycle(bucket, lifecycleOf(...long)), {
      status: 400,
      code: "EntityTooLarge",
      fields: { ProposedSize: expect.any(String), MaxSizeAllowed: "1500000" },
    });
  });

  it("stores the default minimum object size, and rejects unknown values", async () => {
    const bucket = await freshBucket();
    const document = lifecycleOf(rule(transition(30)));
    const response = await sendLifecycle(bucket, document, { [MINIMUM]: "varies_by_storage_class" });
    expect(response.headers.get(MINIMUM)).toBe("varies_by_storage_class");
    expect((await send("GET", `/${bucket}?lifecycle`)).headers.get(MINIMUM)).toBe("varies_by_storage_class");
    await expectUntouched(bucket, async () =>
      expectS3Error(await sendLifecycle(bucket, document, { [MINIMUM]: "none" }), {
        status: 400,
        code: "InvalidRequest",
        message: "Invalid TransitionDefaultMinimumObjectSize found",
      }),
    );
  });

  it("requires a bucket and a signature", async () => {
    const bucket = await freshBucket();
    const body = lifecycleOf(rule(expiresAfter(1)));
    await expectUntouched(bucket, async () => {
      await expectS3Error(await deliver(anonymous("PUT", `/${bucket}?lifecycle`, { body })), {
        status: 403,
        code: "AccessDenied",
      });
    });
    const missing = freshBucketName();
    await expectS3Error(await sendLifecycle(missing, body), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
  });
});
