// The rules for words in CONTRIBUTING.md: retired words stay out of the tree, and documents link to what exists.
import { describe, expect, it } from "vitest";

const texts: Record<string, string> = import.meta.glob(
  [
    "../src/**/*.ts",
    "../scripts/**/*.ts",
    "../migrations/*.sql",
    "../console/{src,test}/**/*.{ts,tsx}",
    "../console/*.md",
    "../docs/*.md",
    "../*.md",
    "./**/*.{ts,py}",
    "!./words.test.ts",
    "!./fixtures/**",
    // Texts that users of the console read.
    "!../console/src/i18n/**",
  ],
  { query: "?raw", import: "default", eager: true },
);

/** Names that D1, logs or coordinators of the previous release contain, so they cannot change. */
const STORED_NAMES = new RegExp(
  [
    "commit refused: (?:blob condemned|judged version changed)",
    "judged_version_guard\\w*",
    "condemned_at",
    "holding_id",
    "lease_holder",
    "\\bholders\\b",
    "\\bholdings\\b",
    "(?:forget-tokens|end-stray-uploads)",
    "\\bjob: (?:forgetTokens|endStrayUploads)",
    '"(?:witnesses|judgement)"',
  ].join("|"),
  "g",
);

/** Words that no file contains any more, by the word to use instead. */
const RETIRED: readonly (readonly [pattern: string, use: string])[] = [
  ["whom(?:so)?ever", "the component that acts"],
  ["somebody|anybody", "a client, a caller, a principal"],
  ["of before\\b(?!\\))", "previous, earlier"],
  ["\\banew\\b", "again"],
  ["\\blet(?:s|ting)? go\\b", "release, cancel"],
  ["own accord", "by itself"],
  ["\\bkin\\b", "the full list"],
  ["\\bheld by\\b|holdToo|dropHoldings", "referenced by, addReference, releaseReferences"],
  ["birth ?certificate|\\bbirths?\\b|\\bborn\\b", "recovery metadata"],
  ["\\bjudg(?!ement: \\{)|\\brulings?\\b|carryOut", "evaluate, precondition, lifecycle action"],
  ["\\bwitness", "expected heads"],
  ["\\bseldom|isSeldomRead", "blob storage class"],
  ["mischief", "fuzz inputs"],
  ["\\bledger", "stored state, table"],
  ["\\bstray", "orphaned"],
  ["\\bvouch", "trusted"],
  ["\\bwish(?:es)?\\b", "request"],
  ["as it is kept|as they are kept", "stored form"],
  ["\\bisOutage|\\boutage", "transient error"],
  ["KeyHolder|\\basker", "credentials, principal, access key owner"],
  ["unmeasured|PresumedBody", "form upload, estimated length"],
  ["refuseStrangers|hideAbsence|letOthersIn|COLDER_AND_COLDER", "rejectAnonymous, maskNotFound"],
  ["who ?ever\\b", "any, the component that acts"],
  ["\\b(?:no|every)body\\b", "no client, no row, all callers"],
  ["\\bbut for\\b", "except"],
  ["\\b(?:told|tells)\\b", "return, report, contain"],
  ["\\bso many\\b", "a number"],
  ["\\btraces? of\\b", "cached heads"],
  ["\\bsettle", "write batch"],
  ["\\bstrangers?\\b", "anonymous"],
  // `forget` is a command of restic.
  ["\\bforgot|\\bforgets\\b|\\bforget[A-Z]", "expire, purge, clear"],
  ["\\btake[ns]?(?: it| them)? away\\b", "delete, purge, remove"],
  ["\\bbesides\\b", "also, in addition"],
  ["\\bways? on\\b|\\bamid\\b|\\blast word\\b", "the action that helps, during, decides"],
  ["\\bsays? so\\b", "report, show"],
  ["\\bcarr(?:y|ied|ies) out\\b", "apply"],
  ["\\bwhat (?:is|was) there\\b|\\b(?:is|are) not there\\b", "existing, missing"],
];

function filesWith(pattern: string): string[] {
  const word = new RegExp(pattern, "i");
  return Object.entries(texts)
    .filter(([, text]) => word.test(text.replaceAll(STORED_NAMES, "")))
    .map(([path]) => path);
}

describe("retired words", () => {
  it.each(RETIRED)("%s is in no file: use %s", (pattern) => {
    expect(filesWith(pattern)).toEqual([]);
  });
});

describe("a document", () => {
  const pages = Object.entries(texts).filter(([path]) => path.endsWith(".md"));

  it.each(pages)("%s links to pages and headings that exist", (path, text) => {
    const links = Array.from(text.matchAll(/\]\(([^)\s]*\.md)?(#[^)\s]+)?\)/g), ([, page, heading]) => ({
      page,
      heading,
    }));
    const broken = links.filter(({ page, heading }) => {
      const target = texts[page === undefined ? path : resolved(path, page)];
      return target === undefined || (heading !== undefined && !headingsOf(target).has(heading));
    });
    expect(broken).toEqual([]);
  });

  it.each(pages)("%s names source files that exist", (path, text) => {
    const named = Array.from(
      text.matchAll(/`((?:src|scripts|test|gateway|auth|uploads)\/[\w/.-]+\.ts)`/g),
      ([, file = ""]) => file,
    );
    const missing = named.filter((file) => !(sourcePath(file) in texts));
    expect(missing, path).toEqual([]);
  });
});

function resolved(from: string, page: string): string {
  const folder = from.slice(0, from.lastIndexOf("/"));
  return page.startsWith("../") ? `..${page.slice(2)}` : `${folder}/${page}`;
}

/** The anchors of a page, as GitHub derives them from headings. */
function headingsOf(text: string): ReadonlySet<string> {
  const headings = text.matchAll(/^#+ (.+)$/gm);
  return new Set(Array.from(headings, ([, heading = ""]) => `#${anchorOf(heading)}`));
}

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .replaceAll(/\s/g, "-");
}

/** A source file as the glob names it; paths without a folder of the root are below src. */
function sourcePath(file: string): string {
  if (file.startsWith("test/")) return `./${file.slice("test/".length)}`;
  return /^(?:src|scripts)\//.test(file) ? `../${file}` : `../src/${file}`;
}
