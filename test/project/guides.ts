// Tests of what the guides say and no served Cairn can show: that programs, scripts and options exist, and that a
// deployment accepts the pieces of wrangler.toml. Run by `npm run test:deploy`.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { parse, stringify } from "smol-toml";
import { Project } from "../deploy/stand-in/harness.ts";
import { PROJECT_ROOT } from "../../scripts/project/wrangler-toml.ts";
import { blocksFor, blocksOf, CHECKS, GUIDES, readGuide } from "./guide-blocks.ts";

const WRANGLER = join(PROJECT_ROOT, "node_modules", "wrangler", "bin", "wrangler.js");
const LANGUAGES = new Set(["sh", "python", "toml", "text"]);
const checks: ReadonlySet<string> = new Set(CHECKS);
const project = new Project();
after(() => project.remove());

const helps = new Map<string, string>();

/** What a program prints about its options. */
function helpOf(program: string, args: readonly string[]): string {
  const name = [program, ...args].join(" ");
  const known = helps.get(name);
  if (known !== undefined) return known;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", program, ...args, "--help"],
    {
      cwd: project.folder,
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: project.folder,
        WRANGLER_SEND_METRICS: "false",
        WRANGLER_HIDE_BANNER: "true",
      },
      encoding: "utf8",
    },
  );
  helps.set(name, stdout + stderr);
  return stdout + stderr;
}

/** The commands of a block: comments and continued lines are joined, lists are taken apart. */
function commandsOf(text: string): string[] {
  return text
    .replaceAll("\\\n", " ")
    .split("\n")
    .map((line) => line.replace(/(?:^|\s)#.*$/, "").trim())
    .flatMap((line) => line.split(/\s*&&\s*/))
    .filter((command) => command !== "");
}

function optionsOf(words: readonly string[]): string[] {
  return words.filter((word) => word.startsWith("--") && word !== "--").map((word) => word.split("=")[0] ?? "");
}

function hasOption(help: string, option: string): boolean {
  return new RegExp(`(?:^|[\\s,[(\`])${option}(?![\\w-])`, "m").test(help);
}

/** What is wrong with a command: an unknown program, script, subcommand or option. */
function problemsOf(command: string): string[] {
  // A quoted text is one argument, whatever it looks like.
  const words = command.replaceAll(/"[^"]*"|'[^']*'/g, "TEXT").split(/\s+/);
  const [program, second = "", third = ""] = words;
  if (program === "npx" && second === "wrangler") return wranglerProblems(words.slice(2));
  const isRun = program === "npm" && second === "run";
  if (isRun || (program === "npm" && ["start", "test"].includes(second)))
    return scriptProblems(isRun ? third : second, words);
  if (["npm ci", "git pull"].includes(`${program} ${second}`)) return [];
  return [`${command}: unknown program`];
}

function scriptProblems(name: string, words: readonly string[]): string[] {
  const { scripts } = Object(JSON.parse(readFileSync(join(PROJECT_ROOT, "package.json"), "utf8")));
  const script: unknown = scripts[name];
  if (typeof script !== "string") return [`npm run ${name}: there is no such script`];
  const file = /\bscripts\/[\w/-]+\.ts\b/.exec(script)?.[0];
  const options = optionsOf(words);
  if (options.length === 0) return [];
  if (file === undefined) return [`npm run ${name}: its options cannot be looked up`];
  const help = helpOf(join(PROJECT_ROOT, file), []);
  return options.filter((option) => !hasOption(help, option)).map((option) => `npm run ${name}: no option ${option}`);
}

/** The longest path of subcommands that has a help of its own names the options. */
function wranglerProblems(words: readonly string[]): string[] {
  const names = words.slice(0, words.findIndex((word) => !/^[a-z0-9-]+$/.test(word) || word.startsWith("-")) >>> 0);
  const path: string[] = [];
  let help = helpOf(WRANGLER, []);
  for (const name of names) {
    if (!new RegExp(`^\\s+wrangler ${[...path, name].join(" ")}(?=\\s)`, "m").test(help)) break;
    path.push(name);
    help = helpOf(WRANGLER, path);
  }
  if (path.length === 0 || /^COMMANDS$/m.test(help)) return [`wrangler ${words.join(" ")}: no such command`];
  return optionsOf(words)
    .filter((option) => !hasOption(help, option))
    .map((option) => `wrangler ${path.join(" ")}: no option ${option}`);
}

/** A configuration with a piece put in: tables are merged, all else is replaced. */
function merged(base: Record<string, unknown>, piece: Record<string, unknown>): Record<string, unknown> {
  const isTable = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  const entries = Object.entries(piece).map(([name, value]) => {
    const old = base[name];
    return [name, isTable(value) && isTable(old) ? merged(old, value) : value];
  });
  return { ...base, ...Object.fromEntries(entries) };
}

void describe("the guides", () => {
  for (const guide of GUIDES) {
    void it(`docs/${guide}.md says of every command how it is checked`, () => {
      const blocks = blocksOf(readGuide(guide)).filter(({ language }) => LANGUAGES.has(language));
      const unchecked = blocks.filter(({ check }) => !checks.has(check)).map(({ line }) => `${guide}.md:${line}`);
      assert.deepEqual(unchecked, []);
    });

    const commands = blocksFor(guide, "account").flatMap(({ text }) => commandsOf(text));
    if (commands.length > 0) {
      void it(`docs/${guide}.md names programs and options that exist`, () => {
        assert.deepEqual(commands.flatMap(problemsOf), []);
      });
    }

    for (const { text, line } of blocksFor(guide, "wrangler")) {
      void it(`wrangler deploys with the piece of wrangler.toml in docs/${guide}.md:${line}`, () => {
        const toml = readFileSync(join(PROJECT_ROOT, "wrangler.toml"), "utf8");
        writeFileSync(join(project.folder, "wrangler.toml"), stringify(merged(parse(toml), parse(text))));
        const output = execFileSync(process.execPath, [WRANGLER, "deploy", "--dry-run"], {
          cwd: project.folder,
          env: { PATH: process.env["PATH"] ?? "", HOME: project.folder, WRANGLER_SEND_METRICS: "false" },
          encoding: "utf8",
          stdio: ["ignore", "pipe", "pipe"],
        });
        assert.match(output, /--dry-run: exiting now/);
        assert.doesNotMatch(output, /WARNING|[Uu]nexpected fields/);
      });
    }
  }

  void it("a wrong command, script, subcommand or option is a problem", () => {
    for (const command of [
      "npx wrangler d1 inform cairn",
      "npx wrangler r2 bucket",
      "npx wrangler deploy --dry-ran",
      "npm run doktor",
      "npm run doctor -- https://s3.example.com --largesse 5",
      "wrangle deploy",
    ])
      assert.equal(problemsOf(command).length, 1, command);
    assert.deepEqual(problemsOf('npx wrangler d1 execute cairn --remote --command "SELECT 1"'), []);
  });
});
