// Parses the command line of `npm run rotate`.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { PROJECT_ROOT } from "../project/wrangler-toml.ts";
import type { Subject } from "./changes.ts";

export const USAGE = `Usage: npm run rotate -- root|master-key [--finish] [--state DIR]
       npm run rotate -- root|master-key --deployed [--finish] [--current FILE] [--credentials-file PATH]

Replaces the root credentials or the master key in two steps. The first makes new ones and keeps the present ones beside
them: both are accepted. The second, with --finish, removes the previous ones once nothing needs them.

  --finish                  remove the previous value
  --state DIR               state folder of a Cairn on this machine, whose secrets are in .dev.vars (default .cairn)
  --deployed                the Worker that wrangler.toml names, in the account that wrangler is logged in to
  --current FILE            NAME=value lines with the present secrets, as --credentials-file wrote them; else they are
                            taken from the environment. Cloudflare does not give secrets back
  --endpoint URL            where the Worker answers: root's present credentials are tried there first
  --credentials-file PATH   write the new secrets to this file (mode 0600) and do not show them
  --wait MINUTES            with --finish of a master key: wait for the job reseal-secrets (default 0)
  --end-sessions            with --finish of a master key: do not wait until sessions under the old key have expired
  --help                    this text`;

export interface RotateOptions {
  readonly subject: Subject;
  readonly isFinish: boolean;
  readonly isDeployed: boolean;
  readonly state: string;
  readonly current: string | undefined;
  readonly endpoint: string | undefined;
  readonly credentialsFile: string | undefined;
  readonly waitMs: number;
  readonly endsSessions: boolean;
}

/** Parses the command line; undefined for --help. @throws Error for an invalid command line */
export function readOptions(args: readonly string[]): RotateOptions | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      finish: { type: "boolean", default: false },
      state: { type: "string", default: resolve(PROJECT_ROOT, ".cairn") },
      deployed: { type: "boolean", default: false },
      current: { type: "string" },
      endpoint: { type: "string" },
      "credentials-file": { type: "string" },
      wait: { type: "string", default: "0" },
      "end-sessions": { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const [subject, ...others] = positionals;
  if ((subject !== "root" && subject !== "master-key") || others.length > 0) {
    throw new Error("say what to rotate: root or master-key");
  }
  if (!/^\d{1,4}$/.test(values.wait)) throw new Error(`--wait ${values.wait}: not a number of minutes`);
  return {
    subject,
    isFinish: values.finish,
    isDeployed: values.deployed,
    state: resolve(values.state),
    current: values.current,
    endpoint: values.endpoint,
    credentialsFile: values["credentials-file"],
    waitMs: Number(values.wait) * 60_000,
    endsSessions: values["end-sessions"],
  };
}
