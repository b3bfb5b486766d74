import { describe, expect, it } from "vitest";

import { formatHttpDate } from "../../../src/bytes/dates.ts";
import {
  isNotModified,
  preconditionFailed,
  readConditions,
  readDeleteConditions,
  readWriteConditions,
  refuseWrite,
  type ConditionSubject,
  type WriteConditions,
} from "../../../src/protocol/objects/conditions.ts";
import { errorOf, expectError, presignedPutWith, putWith, requestFor, expectRefusal } from "./support.ts";

const ETAG = "d41d8cd98f00b204e9800998ecf8427e";
const OTHER = "900150983cd24fb0d6963f7d28e17f72";

describe("the conditions of a read", () => {
  const MODIFIED = Date.UTC(2026, 0, 2, 3, 4, 5) + 678;
  const NOW = MODIFIED + 3_600_000;
  const at = formatHttpDate(MODIFIED);
  const before = formatHttpDate(MODIFIED - 1000);
  const after = formatHttpDate(MODIFIED + 1000);
  const future = formatHttpDate(NOW + 60_000);

  /** 200, 304, or the condition of a 412. */
  function outcome(headers: Readonly<Record<string, string>>): 200 | 304 | string {
    const conditions = readConditions(requestFor("GET", "/bucket/key", headers));
    try {
      return isNotModified(conditions, ETAG, MODIFIED, NOW) ? 304 : 200;
    } catch (error) {
      const refusal = errorOf(() => {
        throw error;
      });
      expect(refusal.status).toBe(412);
      expect(refusal.code).toBe("PreconditionFailed");
      return String(refusal.fields["Condition"]);
    }
  }

  it("hold when there are none", () => expect(outcome({})).toBe(200));

  it.each([
    [`"${ETAG}"`, 200],
    [ETAG, 200],
    [`W/"${ETAG}"`, 200],
    [` "${ETAG}" `, 200],
    ["*", 200],
    [`"${OTHER}", "${ETAG}"`, 200],
    [`"${OTHER}",W/"${ETAG}"`, 200],
    [`${OTHER},${ETAG}`, 200],
    [`"${OTHER}"`, "If-Match"],
    [`"${OTHER}", "x"`, "If-Match"],
    [`"${ETAG.toUpperCase()}"`, "If-Match"],
    [`"${ETAG}-1"`, "If-Match"],
    ['""', "If-Match"],
    ["", "If-Match"],
    ['"*"', "If-Match"],
    [`"${ETAG}`, "If-Match"],
  ])("If-Match: %s returns %s", (value, wanted) => expect(outcome({ "if-match": value })).toBe(wanted));

  it.each([
    [`"${ETAG}"`, 304],
    [ETAG, 304],
    [`W/"${ETAG}"`, 304],
    ["*", 304],
    [`"${OTHER}", "${ETAG}"`, 304],
    [`"${OTHER}"`, 200],
    [`"${OTHER}", W/"x"`, 200],
    ["", 200],
    ['"*"', 200],
  ])("If-None-Match: %s returns %s", (value, wanted) => expect(outcome({ "if-none-match": value })).toBe(wanted));

  it.each([
    ["if-modified-since", before, 200],
    ["if-modified-since", at, 304],
    ["if-modified-since", after, 304],
    ["if-modified-since", future, 200],
    ["if-unmodified-since", before, "If-Unmodified-Since"],
    ["if-unmodified-since", at, 200],
    ["if-unmodified-since", after, 200],
    ["if-unmodified-since", future, 200],
  ])("%s: %s returns %s, to the second", (name, value, wanted) => expect(outcome({ [name]: value })).toBe(wanted));

  it("accept the time of the request as past", () => {
    const conditions = readConditions(requestFor("GET", "/bucket/key", { "if-modified-since": at }));
    expect(isNotModified(conditions, ETAG, MODIFIED, MODIFIED)).toBe(true);
  });

  it.each(["", "yesterday", "1767323045", "2026-01-02T03:04:05Z", "Fri, 31 Feb 2026 03:04:05 GMT"])(
    "ignore an invalid date: %j",
    (value) => {
      expect(outcome({ "if-modified-since": value })).toBe(200);
      expect(outcome({ "if-unmodified-since": value })).toBe(200);
    },
  );

  // RFC 9110, 13.2.2: If-Match outranks If-Unmodified-Since, and If-None-Match outranks If-Modified-Since.
  it.each([
    ["If-Match holds, If-Unmodified-Since fails", { "if-match": ETAG, "if-unmodified-since": before }, 200],
    ["If-Match fails, If-Unmodified-Since holds", { "if-match": OTHER, "if-unmodified-since": at }, "If-Match"],
    ["If-None-Match matches, If-Modified-Since holds", { "if-none-match": ETAG, "if-modified-since": before }, 304],
    ["If-None-Match differs, If-Modified-Since fails", { "if-none-match": OTHER, "if-modified-since": at }, 200],
    ["both ETags match", { "if-match": ETAG, "if-none-match": ETAG }, 304],
    ["If-Match fails and If-None-Match matches", { "if-match": OTHER, "if-none-match": ETAG }, "If-Match"],
    ["If-Match holds and is modified since", { "if-match": ETAG, "if-modified-since": before }, 200],
    ["If-Match holds and is not modified since", { "if-match": ETAG, "if-modified-since": at }, 304],
    ["both dates hold", { "if-unmodified-since": at, "if-modified-since": before }, 200],
    ["unmodified, and not modified either", { "if-unmodified-since": at, "if-modified-since": at }, 304],
    [
      "modified, and None-Match matches",
      { "if-unmodified-since": before, "if-none-match": ETAG },
      "If-Unmodified-Since",
    ],
    ["If-Match holds beside a date that is none", { "if-match": ETAG, "if-unmodified-since": "x" }, 200],
  ] as const)("are evaluated in RFC 9110's order: %s", (_what, headers, wanted) =>
    expect(outcome(headers)).toBe(wanted),
  );

  it("are not read from a presigned query", () => {
    const request = presignedPutWith("if-match=x&if-none-match=y&if-modified-since=z");
    expect(Object.values(readConditions(request))).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe("a failed precondition", () => {
  it("returns 412 and names the condition", () =>
    expectError(preconditionFailed("If-Match"), "PreconditionFailed", 412, { fields: { Condition: "If-Match" } }));
});

describe("the conditions of a write", () => {
  it.each([
    [{}, { ifMatch: undefined, ifNoneMatch: undefined }],
    [{ "if-none-match": "*" }, { ifMatch: undefined, ifNoneMatch: "*" }],
    [{ "if-none-match": " * " }, { ifMatch: undefined, ifNoneMatch: "*" }],
    [{ "if-match": `"${ETAG}"` }, { ifMatch: `"${ETAG}"`, ifNoneMatch: undefined }],
    [{ "if-match": "" }, { ifMatch: "", ifNoneMatch: undefined }],
    [
      { "if-modified-since": "x", "if-unmodified-since": "y" },
      { ifMatch: undefined, ifNoneMatch: undefined },
    ],
  ])("are read from %j", (headers, wanted) => expect(readWriteConditions(putWith(headers))).toEqual(wanted));

  it.each([`"${ETAG}"`, ETAG, '"*"', "*, *", "", "**", "W/*"])(
    "reject If-None-Match: %s with 400, because only * is allowed",
    (value) => expectRefusal(() => readWriteConditions(putWith({ "if-none-match": value })), "InvalidRequest", 400),
  );

  it.each(["*", " * "])("reject If-Match: %s with 501", (value) => {
    const error = errorOf(() => readWriteConditions(putWith({ "if-match": value })));
    expectError(error, "NotImplemented", 501);
    expect(error.fields).toMatchObject({ Header: "If-Match" });
  });

  it.each([
    { "if-match": `"${ETAG}"`, "if-none-match": "*" },
    { "if-match": "*", "if-none-match": "*" },
    { "if-match": ETAG, "if-none-match": ETAG },
    { "if-match": "", "if-none-match": "" },
  ])("reject both headers at once with 501: %j", (headers) =>
    expectRefusal(() => readWriteConditions(putWith(headers)), "NotImplemented", 501, {
      fields: {
        Header: "If-Match,If-None-Match",
        additionalMessage: "Multiple conditional request headers present in the request",
      },
    }),
  );

  it("are not read from a presigned query, where they would be signed headers", () => {
    expect(readWriteConditions(presignedPutWith("if-none-match=*&If-Match=x"))).toEqual({
      ifMatch: undefined,
      ifNoneMatch: undefined,
    });
  });
});

describe("the conditions of a deletion", () => {
  const read = (headers: Readonly<Record<string, string>>) =>
    readDeleteConditions(requestFor("DELETE", "/bucket/key", headers));

  it("are an ETag or *, a size and a time", () => {
    expect(read({})).toEqual({ ifMatch: undefined, ifMatchSize: undefined, ifMatchLastModified: undefined });
    expect(read({ "if-match": "*" })).toMatchObject({ ifMatch: "*" });
    expect(read({ "if-match": `"${ETAG}"` })).toMatchObject({ ifMatch: `"${ETAG}"` });
    expect(
      read({ "x-amz-if-match-size": "0", "x-amz-if-match-last-modified-time": "Fri, 02 Jan 2026 03:04:05 GMT" }),
    ).toEqual({ ifMatch: undefined, ifMatchSize: 0, ifMatchLastModified: Date.UTC(2026, 0, 2, 3, 4, 5) });
    expect(read({ "x-amz-if-match-size": "999999999999999" })).toMatchObject({ ifMatchSize: 999_999_999_999_999 });
  });

  it.each(["", "-1", "+1", "1.5", "1e3", "0x10", " ", "1 2", "ten", "99999999999999999999"])(
    "reject the size %j",
    (value) => {
      const error = errorOf(() => read({ "x-amz-if-match-size": value }));
      expectError(error, "InvalidArgument", 400);
      expect(error.fields["ArgumentName"]).toBe("x-amz-if-match-size");
    },
  );

  it.each(["", "yesterday", "2026-01-02T03:04:05Z", "Fri, 31 Feb 2026 03:04:05 GMT", "1767323045"])(
    "reject the time %j",
    (value) => {
      const error = errorOf(() => read({ "x-amz-if-match-last-modified-time": value }));
      expectError(error, "InvalidArgument", 400);
      expect(error.fields["ArgumentName"]).toBe("x-amz-if-match-last-modified-time");
    },
  );
});

describe("a write", () => {
  const subject = (versionId: string, etag: string): ConditionSubject => ({
    versionId,
    etag,
    size: 10,
    modifiedAt: 1_000_500,
  });
  const subjects = {
    nothing: undefined,
    A: subject("a", ETAG),
    "A again": subject("a2", ETAG),
    B: subject("b", OTHER),
  };
  type Named = keyof typeof subjects;

  const notFound = { code: "NoSuchKey", fields: { Key: "k" } };
  const failed = (condition: string) => ({ code: "PreconditionFailed", fields: { Condition: condition } });
  const conflict = (condition: string) => ({
    code: "ConditionalRequestConflict",
    fields: { Condition: condition, Key: "k" },
  });

  function refusal(conditions: WriteConditions, seen: Named, current: Named) {
    return refuseWrite(conditions, "k", subjects[seen], subjects[current]);
  }

  it("without conditions always passes", () => {
    for (const seen of Object.values(subjects)) {
      for (const current of Object.values(subjects)) expect(refuseWrite({}, "k", seen, current)).toBeUndefined();
    }
  });

  it.each([
    ["nothing", "nothing", undefined],
    ["nothing", "A", conflict("If-None-Match")],
    ["nothing", "B", conflict("If-None-Match")],
    ["A", "nothing", undefined],
    ["A", "A", failed("If-None-Match")],
    ["A", "A again", failed("If-None-Match")],
    ["A", "B", failed("If-None-Match")],
  ] as const)("with If-None-Match: * that saw %s and finds %s", (seen, current, wanted) =>
    expect(refusal({ ifNoneMatch: "*" }, seen, current)).toEqual(wanted),
  );

  it.each([
    ["nothing", "nothing", notFound],
    ["nothing", "A", undefined],
    ["nothing", "B", failed("If-Match")],
    ["A", "nothing", notFound],
    ["A", "A", undefined],
    ["A", "A again", undefined],
    ["A", "B", conflict("If-Match")],
    ["A again", "B", conflict("If-Match")],
    ["B", "nothing", notFound],
    ["B", "A", undefined],
    ["B", "B", failed("If-Match")],
  ] as const)("with If-Match: A that saw %s and finds %s", (seen, current, wanted) =>
    expect(refusal({ ifMatch: `"${ETAG}"` }, seen, current)).toEqual(wanted),
  );

  it.each([
    ["nothing", "nothing", notFound],
    ["nothing", "A", undefined],
    ["A", "nothing", notFound],
    ["A", "A", undefined],
    ["A", "B", undefined],
  ] as const)("with If-Match: * that saw %s and finds %s", (seen, current, wanted) =>
    expect(refusal({ ifMatch: "*" }, seen, current)).toEqual(wanted),
  );

  it.each([`"${ETAG}"`, ETAG, `W/"${ETAG}"`, ` "${ETAG}" `, `"x", "${ETAG}"`, `${OTHER},${ETAG}`])(
    "accepts If-Match: %s for A",
    (ifMatch) => expect(refusal({ ifMatch }, "A", "A")).toBeUndefined(),
  );

  it.each(["", '""', '"*"', `"${ETAG}`, ETAG.toUpperCase(), `${ETAG}-2`, `${ETAG} ${ETAG}`, '"x", "y"', ","])(
    "rejects If-Match: %j for another ETag than A",
    (ifMatch) => expect(refusal({ ifMatch }, "A", "A")).toEqual(failed("If-Match")),
  );

  it.each([
    [{ ifMatchSize: 10 }, "A", "A", undefined],
    [{ ifMatchSize: 11 }, "A", "A", failed("x-amz-if-match-size")],
    [{ ifMatchSize: 0 }, "A", "nothing", notFound],
    [{ ifMatchLastModified: 1_000_000 }, "A", "A", undefined],
    [{ ifMatchLastModified: 1_000_999 }, "A", "A", undefined],
    [{ ifMatchLastModified: 1_001_000 }, "A", "A", failed("x-amz-if-match-last-modified-time")],
    [{ ifMatchLastModified: 999_000 }, "A", "A", failed("x-amz-if-match-last-modified-time")],
    [{ ifMatchLastModified: 0 }, "nothing", "nothing", notFound],
    [{ ifMatch: ETAG, ifMatchSize: 10, ifMatchLastModified: 1_000_000 }, "A", "A", undefined],
    [{ ifMatch: ETAG, ifMatchSize: 11, ifMatchLastModified: 1_000_000 }, "A", "A", failed("x-amz-if-match-size")],
    [{ ifMatch: OTHER, ifMatchSize: 11 }, "A", "A", failed("If-Match")],
    [{ ifMatch: ETAG, ifMatchSize: 10 }, "A", "B", conflict("If-Match")],
  ] as const)("of a deletion with %j that saw %s and finds %s", (conditions, seen, current, wanted) =>
    expect(refusal(conditions, seen, current)).toEqual(wanted),
  );

  it("is identified by size and time as well as by its ETag", () => {
    const grown = { ...subject("c", ETAG), size: 11, modifiedAt: 2_000_000 };
    expect(refuseWrite({ ifMatchSize: 10 }, "k", subjects.A, grown)).toEqual(conflict("x-amz-if-match-size"));
    expect(refuseWrite({ ifMatchLastModified: 1_000_000 }, "k", subjects.A, grown)).toEqual(
      conflict("x-amz-if-match-last-modified-time"),
    );
  });
});
