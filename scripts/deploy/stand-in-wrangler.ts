// A wrangler for rehearsals: an account in a JSON file, which CAIRN_STAND_IN_ACCOUNT names. It answers the commands that the
// deployment uses as wrangler does, and fails those that begin with CAIRN_STAND_IN_FAILS.
import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";

export interface StandInAccount {
  databases: string[];
  buckets: string[];
  /** Undefined as long as the Worker does not exist. */
  secrets?: Record<string, string>;
  commands: string[];
  secretsFileMode?: number;
}

const file = process.env["CAIRN_STAND_IN_ACCOUNT"] ?? "";
const account: StandInAccount = JSON.parse(readFileSync(file, "utf8"));
const [, , ...args] = process.argv;
const command = args.join(" ");
const fails = process.env["CAIRN_STAND_IN_FAILS"];
account.commands.push(command);
const reply = fails !== undefined && command.startsWith(fails) ? { error: "it is told to fail" } : answer();
writeFileSync(file, JSON.stringify(account));
if (reply.says !== undefined) console.log(JSON.stringify(reply.says));
if (reply.error !== undefined) {
  console.error(`[ERROR] ${reply.error}`);
  process.exitCode = 1;
}

function answer(): { says?: unknown; error?: string } {
  const name = args.at(args[0] === "r2" ? 3 : 2) ?? "";
  switch (args.slice(0, 2).join(" ")) {
    case "whoami --json":
      return { says: { loggedIn: true } };
    case "d1 list":
      return { says: account.databases.map((name) => ({ name })) };
    case "d1 create":
      account.databases.push(name);
      return {};
    case "d1 migrations":
      return {};
    case "r2 bucket":
      if (account.buckets.includes(name))
        return { error: "The bucket you tried to create already exists. [code: 10004]" };
      account.buckets.push(name);
      return {};
    case "secret list":
      if (account.secrets === undefined) return { error: 'Worker "cairn" not found.' };
      return { says: Object.keys(account.secrets).map((name) => ({ name })) };
    default:
      if (args[0] !== "deploy") return { error: `unknown command ${command}` };
      upload();
      return {};
  }
}

function upload(): void {
  const secretsFile = args[args.indexOf("--secrets-file") + 1];
  account.secrets ??= {};
  if (args.includes("--secrets-file") && secretsFile !== undefined) {
    account.secretsFileMode = statSync(secretsFile).mode & 0o777;
    Object.assign(account.secrets, JSON.parse(readFileSync(secretsFile, "utf8")));
  }
  const report = { type: "deploy", targets: ["https://cairn.example.workers.dev", "schedule: */5 * * * *"] };
  appendFileSync(process.env["WRANGLER_OUTPUT_FILE_PATH"] ?? "", `${JSON.stringify(report)}\n`);
}
