// The settings that the console shows for a new key, pasted into the clients themselves.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Caller } from "../../../scripts/tenancy/caller.ts";
import { type Check, type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { outputOf, runCommand } from "../../../test/clients/run-command.ts";
import { signIn, withPage } from "../support/browser.ts";
import { CREDENTIALS, freshBucket, s3, type Stage } from "../support/stage.ts";

const TIMEOUT_MS = 120_000;

interface Shown {
  readonly texts: ReadonlyMap<string, string>;
  readonly bucket: string;
}

export function clientSettingsSuite(stage: Stage): Suite {
  let shown: Promise<Shown> | undefined;
  const folder = mkdtempSync(join(tmpdir(), "cairn-settings-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const env = { PATH: process.env["PATH"] ?? "/usr/bin", HOME: folder, LANG: "C.UTF-8", RESTIC_PASSWORD: "test" };
  const run = (program: string, ...argumentList: readonly string[]): Promise<string> =>
    outputOf(program, argumentList, { env, timeoutMs: TIMEOUT_MS });
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), `${text}\n`);
    return join(folder, name);
  };
  const check = (client: string, use: (text: string, bucket: string) => Promise<string>): Check => ({
    name: `${client} lists a bucket with the settings as they are shown`,
    run: async () => {
      shown ??= readSettings(stage);
      const { texts, bucket } = await shown;
      assert.match(await use(texts.get(client) ?? "", bucket), /a-key/);
    },
  });
  return suiteOf("client settings", [
    check("aws-cli", (text, bucket) => {
      const path = file("config", text);
      const inFile = { ...env, AWS_CONFIG_FILE: path };
      const argumentList = ["--profile", "cairn", "s3", "ls", `s3://${bucket}`];
      return outputOf("aws", argumentList, { env: inFile, timeoutMs: TIMEOUT_MS });
    }),
    check("boto3", (text, bucket) =>
      run("python3", "-c", `${text}\nprint(s3.list_objects_v2(Bucket="${bucket}")["Contents"])`),
    ),
    check("rclone", (text, bucket) => run("rclone", "--config", file("rclone.conf", text), "lsf", `cairn:${bucket}`)),
    check("s3cmd", (text, bucket) => run("s3cmd", "--config", file("s3cfg", text), "ls", `s3://${bucket}`)),
    check("JavaScript", (text, bucket) => {
      const use = `import { ListObjectsV2Command } from "@aws-sdk/client-s3";
const listed = await s3.send(new ListObjectsV2Command({ Bucket: "${bucket}" }));
console.log(listed.Contents);`;
      return run(process.execPath, "--input-type=module", "-e", `${text}\n${use}`);
    }),
    check("restic", async (text, bucket) => {
      const settings = text.replace("my-bucket", bucket);
      file("a-key", "content");
      return run("sh", "-c", `${settings}\ncd "$HOME" && restic init && restic backup a-key && restic ls latest`);
    }),
    {
      name: "Terraform's settings are HCL in its canonical form, where Terraform is installed",
      run: async () => {
        shown ??= readSettings(stage);
        const path = file("provider.tf", (await shown).texts.get("Terraform") ?? "");
        const result = await runCommand("terraform", ["fmt", "-check", "-diff", path], { env }).catch(() => undefined);
        if (result !== undefined) assert.equal(result.code, 0, result.stdout + result.stderr);
      },
    },
  ]);
}

/** Creates a user with all rights in a bucket, and a key in the console; reads every tab of the settings. */
async function readSettings(stage: Stage): Promise<Shown> {
  const bucket = await freshBucket(stage);
  await s3(stage, "PUT", `/${bucket}/a-key`, "1");
  const root = new Caller({ endpoint: stage.url, region: "auto" }, CREDENTIALS);
  const user = `settings-${process.pid}`;
  await root.iam("CreateUser", { UserName: user });
  const Statement = [
    { Effect: "Allow", Action: "s3:*", Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`] },
  ];
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await root.iam("PutUserPolicy", { UserName: user, PolicyName: "own", PolicyDocument });
  const texts = new Map<string, string>();
  await withPage(stage, async (page) => {
    await signIn(stage, page, `#/users/${user}`);
    await page.getByRole("button", { name: "Create access key" }).click();
    const tabs = page.locator("dialog .client-tabs button");
    await tabs.first().waitFor();
    for (const tab of await tabs.all()) {
      await tab.click();
      texts.set((await tab.textContent()) ?? "", (await page.locator("dialog pre").textContent()) ?? "");
    }
  });
  return { texts, bucket };
}
