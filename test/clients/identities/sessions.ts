// The AWS command line: temporary credentials, requested by commands and by a profile that assumes a role.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { at } from "../at.ts";
import type { AwsCliTools } from "../aws-cli/tools.ts";
import { curlFor } from "../curl-command.ts";
import type { Check } from "../harness.ts";
import { allow, ask, variablesOf, type Variables } from "./tools.ts";

const ROLE = "arn:aws:iam::000000000000:role/reader";

export function sessionChecks(tools: AwsCliTools): Check[] {
  const { aws, awsWith, bucket, site, folder } = tools;
  const place = `s3://${bucket}/session`;
  const readOnly = (): string => allow(["s3:GetObject"], `arn:aws:s3:::${bucket}/*`);
  const begin = async (...command: readonly string[]): Promise<Variables> =>
    variablesOf(at(await ask(tools, {}, "sts", ...command), "Credentials"));
  const mayReadOnly = async (session: Variables): Promise<void> => {
    await awsWith(session, "s3", "cp", "--only-show-errors", place, join(folder, "read"));
    await assert.rejects(
      awsWith(session, "s3", "cp", "--only-show-errors", site.mebibyte.file, place),
      /\(AccessDenied\)/,
    );
  };
  return [
    {
      name: "get-caller-identity names the caller",
      async run() {
        const caller = await ask(tools, {}, "sts", "get-caller-identity");
        assert.equal(at(caller, "Arn"), "arn:aws:iam::000000000000:root");
      },
    },
    {
      name: "get-federation-token and assume-role return credentials that their policy restricts",
      async run() {
        await aws("s3", "cp", "--only-show-errors", site.mebibyte.file, place);
        await mayReadOnly(await begin("get-federation-token", "--name", "fed", "--policy", readOnly()));
        const role = ["--role-arn", ROLE, "--role-session-name", "job"];
        const session = await begin("assume-role", ...role, "--policy", readOnly());
        await mayReadOnly(session);
        const caller = await ask(tools, session, "sts", "get-caller-identity");
        assert.equal(at(caller, "Arn"), "arn:aws:sts::000000000000:assumed-role/reader/job");
        // Without this setting, the older command line presigns with SigV2.
        await aws("configure", "set", "default.s3.signature_version", "s3v4");
        const url = (await awsWith(session, "s3", "presign", place)).trim();
        const curl = curlFor(site, folder);
        assert.equal((await curl(url, "--range", "0-9")).status, 206);
      },
    },
    {
      name: "get-session-token returns credentials that may do everything except manage identities",
      async run() {
        const session = await begin("get-session-token", "--duration-seconds", "900");
        await awsWith(session, "s3", "cp", "--only-show-errors", site.mebibyte.file, place);
        await assert.rejects(awsWith(session, "iam", "list-users"), /\(AccessDenied\)/);
        const forged = { ...session, AWS_SESSION_TOKEN: `${session["AWS_SESSION_TOKEN"] ?? ""}A` };
        await assert.rejects(awsWith(forged, "s3", "ls"), /\(InvalidToken\)/);
      },
    },
    {
      name: "a program gets its credentials from a process that asks for a session",
      async run() {
        const configuration = join(folder, "process-configuration");
        const script = join(folder, "credentials.json");
        const session = at(await ask(tools, {}, "sts", "get-session-token"), "Credentials");
        writeFileSync(script, JSON.stringify({ Version: 1, ...Object(session) }));
        writeFileSync(configuration, `[profile job]\ncredential_process = /bin/cat ${script}\n`);
        const variables = {
          AWS_CONFIG_FILE: configuration,
          AWS_PROFILE: "job",
          AWS_ACCESS_KEY_ID: "",
          AWS_SECRET_ACCESS_KEY: "",
        };
        assert.match(await awsWith(variables, "s3", "ls"), new RegExp(` ${bucket}$`, "m"));
      },
    },
  ];
}
