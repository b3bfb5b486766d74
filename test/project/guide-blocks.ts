// The fenced blocks of the guides in docs/. The word after a block's language says how a suite checks the block.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const DOCS = join(import.meta.dirname, "..", "..", "docs");

/** The pages whose commands are all checked. */
export const GUIDES = [
  "clients",
  "costs",
  "deploy",
  "domains",
  "edge-cache",
  "limits",
  "migration",
  "zone-settings",
] as const;
export type Guide = (typeof GUIDES)[number];

/**
 * `served`: run against a served Cairn. `account`: needs an account, so programs and options are looked up. `wrangler`: a
 * piece of wrangler.toml that a deployment accepts. `doctor`: lines that the doctor prints. `local`: run by another suite.
 */
export const CHECKS = ["served", "account", "wrangler", "doctor", "local"] as const;

export interface Block {
  readonly language: string;
  /** How the block is checked; empty where it says nothing. */
  readonly check: string;
  readonly text: string;
  /** Where the block starts, for messages. */
  readonly line: number;
}

/** The text of a page. */
export function readGuide(guide: Guide): string {
  return readFileSync(join(DOCS, `${guide}.md`), "utf8");
}

/** The fenced blocks of a text, in their order, without the indentation of a list around them. */
export function blocksOf(text: string): Block[] {
  return Array.from(text.matchAll(/^( *)```(\S*) ?(.*)\n([^]*?)^\1```$/gm), (match) => {
    const [, indentation = "", language = "", check = "", body = ""] = match;
    return {
      language,
      check,
      text: body.replaceAll(new RegExp(`^${indentation}`, "gm"), ""),
      line: text.slice(0, match.index).split("\n").length,
    };
  });
}

/** The blocks of a page that are checked in one way. */
export function blocksFor(guide: Guide, check: (typeof CHECKS)[number]): Block[] {
  return blocksOf(readGuide(guide)).filter((block) => block.check === check);
}
