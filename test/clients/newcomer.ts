// A first session: pastes the lines of the README and of the greeting unchanged, and uses the URLs and the form that they
// create. Runs on a separate server, with the newest available boto3.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SECRET_ACCESS_KEY } from "../../scripts/project/credentials.ts";
import type { AwsCli } from "./aws-cli.ts";
import { findBoto3, type Boto3 } from "./boto3.ts";
import { type CairnProcess, startCairn } from "./cairn-process.ts";
import { type Suite, suiteOf } from "./harness.ts";
import { definedOnly } from "./install.ts";
import { outputOf, runCommand } from "./run-command.ts";
import { clientEnvironment, newBucketName, newFolder, type Site } from "./site.ts";

const README = join(import.meta.dirname, "..", "..", "README.md");
const INSTALL_TIMEOUT_MS = 120_000;

/** The checks of the README's and the greeting's lines. */
export function newcomer(site: Site, awsClis: readonly AwsCli[], boto3s: readonly Boto3[]): Suite {
  let cairn: CairnProcess | undefined;
  const running = async (): Promise<CairnProcess> => {
    cairn ??= await startCairn({ state: join(newFolder(site, "newcomer"), "state"), credentials: site.root });
    return cairn;
  };
  const suite = suiteOf("newcomer", [
    ...awsClis.map(({ program, version }) => ({
      name: `the README's lines of a shell, with aws-cli ${version}, make a URL that works`,
      run: async () => pasteShell(site, program, filledIn(site, readmeBlock("sh"), await running())),
    })),
    {
      name: "the greeting's lines of a shell make a bucket",
      run: async () => {
        const server = await running();
        const lines = server.output().split("\n");
        const [exports = "", command = ""] = lines.slice(lines.indexOf("aws-cli") + 1);
        assert.match(command, /s3 mb s3:\/\/my-bucket$/);
        const script = `${exports}\n${command.replace("my-bucket", "greeted-bucket")}\naws --endpoint-url ${server.url} s3 ls`;
        assert.match(await shell(site, awsClis[0]?.program ?? "aws", script), / greeted-bucket$/m);
      },
    },
    {
      name: "the README's Python presigns a GET, a PUT and a form that work, with the newest boto3",
      run: async () => {
        const { python } = await newestBoto3(site, boto3s);
        await useMade(await runPython(site, python, filledIn(site, readmeBlock("python"), await running())));
      },
    },
    ...boto3s.map(({ python, version }) => ({
      name: `the greeting's client of boto3 ${version} presigns a GET, a PUT and a form that work`,
      run: async () => {
        const line = /^ *(s3 = boto3\.client\(.*\))$/m.exec((await running()).output())?.[1] ?? "";
        const readme = readmeBlock("python");
        // Older versions do not know the condition.
        const after = readme.slice(readme.indexOf("s3.put_object")).replace(', IfNoneMatch="*"', "");
        await useMade(await runPython(site, python, `import os, boto3\n${line}\n${after}`));
      },
    })),
  ]);
  return {
    client: suite.client,
    async run(report) {
      await suite.run(report);
      await cairn?.stop();
    },
  };
}

/** The first block of a language in the README's section on clients. */
function readmeBlock(language: string): string {
  const text = readFileSync(README, "utf8");
  const section = text.slice(text.indexOf("### With a client"));
  const block = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(section)?.[1];
  assert.ok(block !== undefined, `the README has no block of ${language}`);
  return block;
}

/** A block with the server's address and the credentials filled in. */
function filledIn({ root }: Site, block: string, { url }: CairnProcess): string {
  const quoted = block.includes('"…"');
  return block
    .replaceAll("http://localhost:9000", url)
    .replace("…", quoted ? root.accessKeyId : `'${root.accessKeyId}'`)
    .replace("…", quoted ? root.secretAccessKey : `'${root.secretAccessKey}'`);
}

/** Pastes the lines and uses the URL that the last of them prints. */
async function pasteShell(site: Site, program: string, script: string): Promise<void> {
  const output = await shell(site, program, script.replaceAll("my-bucket", newBucketName("my-bucket")));
  const url = output.trim().split("\n").at(-1) ?? "";
  assert.match(url, /X-Amz-Signature=/);
  const response = await fetch(url);
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "a photo");
}

async function shell(site: Site, program: string, script: string): Promise<string> {
  const folder = newFolder(site, "newcomer-shell");
  writeFileSync(join(folder, "photo.jpg"), "a photo");
  const lines = `set -e\naws() { command "${program}" "$@"; }\n${script}\n`;
  return outputOf("/bin/bash", ["-c", lines], { env: withoutCredentials(site, folder), cwd: folder });
}

interface Made {
  readonly getUrl: string;
  readonly putUrl: string;
  readonly form: { readonly url: string; readonly fields: Readonly<Record<string, string>> };
}

async function runPython(site: Site, python: string, script: string): Promise<Made> {
  const folder = newFolder(site, "newcomer-python");
  const makeBucket = 's3.create_bucket(Bucket="my-bucket")';
  const print = 'import json; print(json.dumps({"getUrl": get_url, "putUrl": put_url, "form": form}))';
  // The bucket of the lines for a shell, which are pasted before.
  const lines = script
    .replace("s3.put_object", `${makeBucket}\ns3.put_object`)
    .replaceAll("my-bucket", newBucketName("my-bucket"));
  const output = await outputOf(python, ["-c", `${lines}\n${print}`], { env: withoutCredentials(site, folder) });
  // What is printed is what `json.dumps` was just given.
  const made: Made = JSON.parse(output);
  return made;
}

/** Uses the two URLs and the form as any recipient does. */
async function useMade({ getUrl, putUrl, form }: Made): Promise<void> {
  const got = await fetch(getUrl);
  assert.equal(got.status, 200);
  assert.equal(await got.text(), "{}");
  const put = await fetch(putUrl, { method: "PUT", body: "uploaded" });
  assert.equal(put.status, 200, await put.text());
  const fields = new FormData();
  for (const [name, value] of Object.entries(form.fields)) fields.set(name, value);
  fields.set("file", new Blob(["of a form"]), "note.txt");
  const posted = await fetch(form.url, { method: "POST", body: fields });
  assert.equal(posted.status, 204, await posted.text());
}

/** The newest boto3: of Python's package index where that can be reached, else the newest of the machine's. */
async function newestBoto3(site: Site, found: readonly Boto3[]): Promise<Boto3> {
  const folder = newFolder(site, "newest-boto3");
  // pip uses the index that the machine is configured with.
  const env = definedOnly(process.env);
  const python = join(folder, "bin", "python");
  const options = { env, timeoutMs: INSTALL_TIMEOUT_MS };
  const install = ["-m", "pip", "install", "--quiet", "--retries", "1", "boto3"];
  const made = await runCommand("python3", ["-m", "venv", folder], options).catch(() => undefined);
  const installed = made?.code === 0 ? await runCommand(python, install, options) : undefined;
  const newest = installed?.code === 0 ? await findBoto3(site, python) : undefined;
  if (newest !== undefined) return newest;
  const [first] = found.toSorted((one, other) =>
    other.version.localeCompare(one.version, undefined, { numeric: true }),
  );
  assert.ok(first !== undefined, "there is no boto3 on this machine, and none can be installed");
  return first;
}

/** The environment of the server's operator: it contains root's secret and no settings of other suites' clients. */
function withoutCredentials(site: Site, folder: string): Record<string, string> {
  const given = Object.entries(clientEnvironment(site, folder));
  const own = /^AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|DEFAULT_REGION)$/;
  const kept = given.filter(([name]) => !own.test(name));
  return { ...Object.fromEntries(kept), [SECRET_ACCESS_KEY]: site.root.secretAccessKey };
}
