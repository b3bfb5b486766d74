// The rules of the house, read off the source itself: which way imports point, how large a room may be, and that the
// table of operations is whole.
import { describe, expect, it } from "vitest";

import { en } from "../console/src/i18n/en.ts";
import { zh } from "../console/src/i18n/zh.ts";
import { CONSOLE_FLOORS, FLOORS, INNER_FLOORS } from "../scripts/docs/floors.ts";
import { PAGES } from "../scripts/docs/pages.ts";
import type { Operation } from "../src/contract/operation.ts";
import { matchOperation } from "../src/gateway/match.ts";
import { OPERATIONS } from "../src/gateway/operation-table.ts";
import type { Address } from "../src/protocol/core/addressing.ts";
import { parseQuery } from "../src/protocol/core/query.ts";
import type { S3Request } from "../src/protocol/core/s3-request.ts";
import { MIGRATIONS } from "../src/state/d1/migration-files.ts";
import { scripts } from "../package.json";
import s3Operations from "./fixtures/s3-operations.json";

const sources: Record<string, string> = import.meta.glob("../src/**/*.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});
const testFiles: Record<string, string> = import.meta.glob(["./**/*.ts", "!./fixtures/**"], {
  query: "?raw",
  import: "default",
  eager: true,
});
const consoleSources: Record<string, string> = import.meta.glob("../console/src/**/*.{ts,tsx}", {
  query: "?raw",
  import: "default",
  eager: true,
});
const migrations: Record<string, string> = import.meta.glob("../migrations/*.sql", {
  query: "?raw",
  import: "default",
  eager: true,
});
const pages: Record<string, string> = import.meta.glob(["../*.md", "../docs/*.{md,svg}"], {
  query: "?raw",
  import: "default",
  eager: true,
});

const gates: Record<string, string> = import.meta.glob("../.ci/*", { query: "?raw", import: "default", eager: true });

/** `../src/auth/sigv4/claim.ts` → `auth/claim.ts` */
const files = new Map(Object.entries(sources).map(([path, text]) => [path.replace("../src/", ""), text]));

function roomOf(file: string): string {
  return file.split("/")[0] ?? file;
}

function floorOf(file: string): number {
  return indexIn(FLOORS, roomOf(file));
}

function indexIn(floors: readonly string[], room: string): number {
  return floors.findIndex((floor) => floor.split("|").includes(room));
}

/** The room inside a room, where there are such: `state/d1/database.ts` → `d1`. */
function innerRoomOf(file: string): string | undefined {
  return file.split("/").length > 2 ? file.split("/")[1] : undefined;
}

/** Whether a file of a room may import another of the same room. */
function mayImportWithin(file: string, target: string): boolean {
  const floors = INNER_FLOORS[roomOf(file)];
  if (floors === undefined) return roomOf(file) !== "operations";
  const [from, to] = [innerRoomOf(file) ?? "", innerRoomOf(target) ?? ""];
  return from === to || (indexIn(floors, to) >= 0 && indexIn(floors, to) < indexIn(floors, from));
}

/** The files that a file imports, types included. */
function importsOf(file: string): string[] {
  const text = files.get(file) ?? "";
  const folder = file.split("/").slice(0, -1);
  return Array.from(text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+\.ts)"/g), ([, path = ""]) => {
    const steps = [...folder];
    for (const step of path.split("/")) {
      if (step === "..") steps.pop();
      else if (step !== ".") steps.push(step);
    }
    return steps.join("/");
  });
}

const modules = Array.from(files.keys()).filter((file) => !file.endsWith(".d.ts"));

describe("imports", () => {
  it("name files that exist, with their extension", () => {
    const missing = modules.flatMap((file) => importsOf(file).filter((target) => !files.has(target)));
    expect(missing).toEqual([]);
    expect(modules.length).toBeGreaterThan(40);
  });

  it("point down, types included, and never between neighbours of one floor", () => {
    const wrong = modules.flatMap((file) =>
      importsOf(file)
        .filter((target) => {
          if (roomOf(file) === roomOf(target)) return !mayImportWithin(file, target);
          return floorOf(target) < 0 || floorOf(target) >= floorOf(file);
        })
        .map((target) => `${file} -> ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it("stand in a room of their floor, where a floor has rooms", () => {
    const homeless = modules.filter((file) => {
      const floors = INNER_FLOORS[roomOf(file)];
      return floors !== undefined && indexIn(floors, innerRoomOf(file) ?? "") < 0;
    });
    expect(homeless).toEqual([]);
  });

  it("form no cycle", () => {
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      expect(path, `cycle: ${[...path, file].join(" -> ")}`).not.toContain(file);
      if (done.has(file)) return;
      for (const target of importsOf(file)) visit(target, [...path, file]);
      done.add(file);
    };
    for (const file of modules) visit(file, []);
  });
});

describe("the console", () => {
  const consoleFiles = new Map(
    Object.entries(consoleSources).map(([path, text]) => [path.replace("../console/src/", ""), text]),
  );
  /** What a file of the console imports, as paths below its source. */
  const targetsOf = (file: string): string[] =>
    Array.from((consoleFiles.get(file) ?? "").matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g), ([, path = ""]) =>
      new URL(path, `file:///console/src/${file}`).pathname.replace("/console/src/", ""),
    );

  it("imports downwards only, and of the Worker only what is pure", () => {
    const floorOf = (file: string): number => CONSOLE_FLOORS.indexOf(roomOf(file));
    const wrong = Array.from(consoleFiles.keys()).flatMap((file) =>
      targetsOf(file)
        .filter((target) => {
          if (target.startsWith("/src/")) return !/^\/src\/(?:protocol|bytes)\//.test(target);
          if (roomOf(file) !== roomOf(target)) return floorOf(target) < 0 || floorOf(target) >= floorOf(file);
          return roomOf(file) === "screens" && innerRoomOf(file) !== innerRoomOf(target);
        })
        .map((target) => `${file} -> ${target}`),
    );
    expect(wrong).toEqual([]);
    expect(consoleFiles.size).toBeGreaterThan(40);
  });

  it("has files of at most 300 lines that say what they are responsible for", () => {
    expect(Array.from(consoleFiles).filter(([, text]) => text.split("\n").length > 301)).toEqual([]);
    expect(Array.from(consoleFiles.keys()).filter((file) => !(consoleFiles.get(file) ?? "").startsWith("// "))).toEqual(
      [],
    );
    expect(
      Array.from(consoleFiles.keys()).filter((file) => /\b(TODO|FIXME)\b/.test(consoleFiles.get(file) ?? "")),
    ).toEqual([]);
  });

  it("has the same placeholders in the texts of all languages", () => {
    const placeholders = (text: string): string =>
      Array.from(text.matchAll(/\{\w+\}/g), String)
        .sort()
        .join(" ");
    const chinese: Readonly<Record<string, string>> = zh;
    const different = Object.entries(en).filter(
      ([key, text]) => placeholders(text) !== placeholders(chinese[key] ?? ""),
    );
    expect(different.map(([key]) => key)).toEqual([]);
  });
});

describe("a file", () => {
  it("has at most 300 lines", () => {
    expect(modules.filter((file) => (files.get(file) ?? "").split("\n").length > 301)).toEqual([]);
  });

  it("has at most 400 lines in test", () => {
    expect(Object.keys(testFiles).length).toBeGreaterThan(300);
    expect(Object.keys(testFiles).filter((path) => (testFiles[path] ?? "").split("\n").length > 401)).toEqual([]);
  });

  it("says in its first lines what it is responsible for", () => {
    expect(modules.filter((file) => !(files.get(file) ?? "").startsWith("// "))).toEqual([]);
  });

  it("leaves nothing for later", () => {
    expect(modules.filter((file) => /\b(TODO|FIXME|XXX|HACK)\b/.test(files.get(file) ?? ""))).toEqual([]);
  });
});

describe("the migrations that the Worker carries", () => {
  it("are all files of the folder, in order: `npm run migrations:carry` lists them", () => {
    const inFolder = Object.entries(migrations).map(([path, sql]) => ({ name: path.split("/").at(-1), sql }));
    expect(MIGRATIONS).toEqual(inFolder.toSorted((a, b) => ((a.name ?? "") < (b.name ?? "") ? -1 : 1)));
  });
});

describe("the operation table", () => {
  /** Names that share a route with another, or that belong to another kind of endpoint. */
  const elsewhere = new Set([
    "GetBucketLifecycle",
    "PutBucketLifecycle",
    "GetBucketNotification",
    "PutBucketNotification",
    "ListDirectoryBuckets",
    "WriteGetObjectResponse",
  ]);

  it("names every operation of S3", () => {
    const names = new Set(OPERATIONS.map(({ name }) => name));
    expect(s3Operations.names.filter((name) => !names.has(name) && !elsewhere.has(name))).toEqual([]);
  });

  it("has a row or a reason for every operation of S3 on the page of operations", () => {
    const page = pages["../docs/operations.md"] ?? "";
    const [, table = ""] = page.split(/<!-- \/?operations -->/);
    // Earlier names of operations that the page has by their present ones.
    const earlier = new Set([
      "GetBucketLifecycle",
      "PutBucketLifecycle",
      "GetBucketNotification",
      "PutBucketNotification",
    ]);
    const missing = s3Operations.names.filter(
      (name) => !new RegExp(`[ |]${name}[, ]`).test(table) && !earlier.has(name),
    );
    expect(missing).toEqual([]);
  });

  it.each(OPERATIONS.map((operation) => [operation.name, operation] as const))("reaches %s", (_name, operation) => {
    expect(matchOperation(OPERATIONS, minimalRequest(operation))).toBe(operation);
    expect(matchOperation(OPERATIONS.toReversed(), minimalRequest(operation))).toBe(operation);
  });

  it("has a test file for every operation that is built", () => {
    const missing = OPERATIONS.filter(({ implementation }) => implementation !== undefined)
      .map(({ name }) => `./operations/${kebab(name)}.test.ts`)
      .filter((file) => !(file in testFiles));
    expect(missing).toEqual([]);
  });
});

describe("generated pages", () => {
  it.each(Object.entries(PAGES))("match the code: %s", (path, refresh) => {
    const written = pages[`../${path}`] ?? "";
    expect(refresh(written)).toBe(written);
  });
});

describe("the tests and benches", () => {
  it("are run before a change lands, or CONTRIBUTING.md says why not", () => {
    const commands = Object.keys(scripts).filter((name) => /^(test|bench|scale)/.test(name));
    const run = `${gates["../.ci/run"]}${scripts.test}`;
    const [, leftOut = ""] = (pages["../CONTRIBUTING.md"] ?? "").split("leaves these out");
    const isNamedIn = (text: string, name: string): boolean =>
      new RegExp(`npm run (-s )?${name}(?![:\\w-])`).test(text);
    expect(commands.filter((name) => name !== "test" && isNamedIn(run, name) === isNamedIn(leftOut, name))).toEqual([]);
    expect(run).toMatch(/^npm test$/m);
  });
});

describe("the documents", () => {
  it("are all in their index", () => {
    const paths = Object.keys(pages).flatMap((path) => /^\.\.\/docs\/(?!README)(.+\.md)$/.exec(path)?.[1] ?? []);
    expect(paths.filter((path) => !(pages["../docs/README.md"] ?? "").includes(`(${path})`))).toEqual([]);
  });
});

function kebab(name: string): string {
  return name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, "-").toLowerCase();
}

/** The least request that asks for an operation. */
function minimalRequest({ route }: Operation): S3Request {
  const addresses: Record<typeof route.level, Address> = {
    service: { level: "service" },
    bucket: { level: "bucket", bucket: "b" },
    object: { level: "object", bucket: "b", key: "k" },
    tags: { level: "tags", bucket: "b" },
  };
  return {
    method: route.method,
    address: addresses[route.level],
    rawPath: "/",
    query: parseQuery((route.query ?? []).join("&")),
    headers: new Headers(route.header === undefined ? {} : { [route.header]: "x" }),
    isSecure: false,
    clientAcceptEncoding: undefined,
    tlsVersion: undefined,
    body: null,
  };
}
