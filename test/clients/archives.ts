// Archives as people unpack them: with unzip, tar, bsdtar and Python; and stored ZIP files that zip and Python made.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  createWriteStream,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { AwsClient } from "aws4fetch";
import type { ArchiveMember } from "../../src/bytes/archives/archive-segments.ts";
import { zipSegments } from "../../src/bytes/archives/zip-segments.ts";
import { at } from "./at.ts";
import { type Check, type Suite, suiteOf } from "./harness.ts";
import { newClient } from "./javascript/tools.ts";
import { bodyOfKey, ODD_KEYS, UNPRINTABLE_KEYS } from "./odd-keys.ts";
import { outputOf, words } from "./run-command.ts";
import { clientEnvironment, type Endpoint, newBucketName, newFolder, type Site } from "./site.ts";

const UNPACK = resolve(import.meta.dirname, "archives", "unpack.py");
const GIBIBYTE = 1024 ** 3;
const TIMEOUT_MS = 120_000;
/** No file system takes a name of 1024 bytes. */
const KEYS = [...ODD_KEYS, ...UNPRINTABLE_KEYS].filter((key) => key.length < 250);

interface ArchiveTools {
  readonly site: Site;
  readonly endpoint: Endpoint;
  readonly folder: string;
  readonly bucket: string;
  readonly run: (program: string, argumentList: readonly string[], cwd?: string) => Promise<string>;
  /** Downloads by a presigned link to a file, whose path it answers. */
  readonly download: (target: string, name: string) => Promise<string>;
}

/** The archives' checks at one endpoint. */
export function archives(site: Site, endpoint: Endpoint): Suite {
  const folder = newFolder(site, "archives");
  const bucket = newBucketName("archives");
  const env = clientEnvironment(site, folder);
  const { credentials, region } = site;
  const aws = new AwsClient({ ...credentials, region, service: "s3" });
  const tools: ArchiveTools = {
    site,
    endpoint,
    folder,
    bucket,
    run: (program, argumentList, cwd = folder) => outputOf(program, argumentList, { env, cwd, timeoutMs: TIMEOUT_MS }),
    async download(target, name) {
      const { url } = await aws.sign(`${endpoint.url}/${bucket}${target}`, { aws: { signQuery: true } });
      const response = await fetch(url);
      assert.equal(response.status, 200, response.ok ? "" : await response.text());
      const file = join(folder, name);
      assert.ok(response.body !== null);
      await pipeline(Readable.fromWeb(response.body), createWriteStream(file));
      assert.equal(readFileSync(file).length, Number(response.headers.get("content-length")));
      return file;
    },
  };
  return suiteOf(`archives (${endpoint.scheme})`, [
    storeCheck(tools),
    ...(["zip", "tar"] as const).map((format) => pythonCheck(tools, format)),
    unzipCheck(tools),
    tarCheck(tools, "/usr/bin/tar"),
    tarCheck(tools, "/usr/bin/bsdtar"),
    largeLayoutCheck(tools),
    memberCheck(tools),
  ]);
}

function storeCheck({ site, endpoint, bucket }: ArchiveTools): Check {
  return {
    name: "odd keys, an empty object, a folder and 25 MB in parts can be stored",
    async run() {
      const client = newClient(site, endpoint);
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      for (const key of KEYS) {
        await client.send(new PutObjectCommand({ Bucket: bucket, Key: `odd/${key}`, Body: bodyOfKey(key) }));
      }
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: "more/folder/", Body: "" }));
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: "more/empty", Body: "" }));
      const params = { Bucket: bucket, Key: "more/medium", Body: readFileSync(site.medium.file) };
      await new Upload({ client, params }).done();
      client.destroy();
    },
  };
}

function pythonCheck({ site, download, run }: ArchiveTools, format: "zip" | "tar"): Check {
  return {
    name: `Python reads every member of a ${format}, under a name of its own`,
    async run() {
      const odd = await unpacked(run, await download(`?${format}&prefix=odd/`, `odd.${format}`));
      assert.equal(odd.size, KEYS.length);
      assert.deepEqual(Array.from(odd.values()).toSorted(), KEYS.map((key) => sha256(bodyOfKey(key))).toSorted());
      for (const key of ["a b", "é", "😀", "ümlaut/日本/ключ", "[x]{y}^`|"]) {
        assert.equal(odd.get(`odd/${key}`), sha256(bodyOfKey(key)), key);
      }
      const names = Array.from(odd.keys()).map((name) => name.split("/"));
      assert.ok(
        names.every((segments) => !segments.includes("..") && !segments.includes("")),
        JSON.stringify(names),
      );
      const more = await unpacked(run, await download(`?${format}&prefix=more/`, `more.${format}`));
      assert.deepEqual(Object.fromEntries(more), {
        "more/empty": sha256(""),
        "more/folder/": sha256(""),
        "more/medium": sha256(readFileSync(site.medium.file)),
      });
    },
  };
}

async function unpacked(run: ArchiveTools["run"], file: string): Promise<ReadonlyMap<string, string>> {
  const rows: unknown = JSON.parse(await run("python3", [UNPACK, file]));
  assert.ok(Array.isArray(rows));
  return new Map(rows.map((row) => [String(at(row, 0)), String(at(row, 2))]));
}

function unzipCheck({ folder, download, run }: ArchiveTools): Check {
  return {
    name: "unzip finds no error, and unpacks inside its folder",
    async run() {
      for (const prefix of ["odd", "more"]) {
        const file = await download(`?zip&prefix=${prefix}/`, `unzip-${prefix}.zip`);
        assert.match(await run("/usr/bin/unzip", ["-tq", file]), /No errors detected/);
      }
      const into = join(folder, "unzipped");
      await run("/usr/bin/unzip", ["-q", join(folder, "unzip-odd.zip"), "-d", into]);
      assert.equal(filesIn(into).length, KEYS.length);
      assert.ok(!existsSync(join(folder, "x")));
      // Info-ZIP's list of what is inside, by its own parser of Zip64 and timestamps.
      assert.match(await run("/usr/bin/unzip", ["-Z", "-v", join(folder, "unzip-more.zip")]), /universal time/);
    },
  };
}

function tarCheck({ folder, download, run }: ArchiveTools, program: string): Check {
  return {
    name: `${program} unpacks a tar inside its folder`,
    async run() {
      const file = await download("?tar&prefix=odd/", "unpacked.tar");
      const into = newFolderIn(folder, program.replaceAll("/", "-"));
      await run(program, ["-xf", file], into);
      const hashes = filesIn(into).map((name) => sha256(readFileSync(name)));
      assert.deepEqual(hashes.toSorted(), KEYS.map((key) => sha256(bodyOfKey(key))).toSorted());
    },
  };
}

/** Writes a ZIP whose contents are holes in a sparse file: Cairn's own layout, without the bytes. */
function largeLayoutCheck({ folder, run }: ArchiveTools): Check {
  return {
    name: "Python and unzip read the layout of 5 GiB members and of 70,000 members",
    async run() {
      const crc32 = 0x12345678;
      const modifiedAt = Date.UTC(2026, 0, 2);
      const large: ArchiveMember[] = [
        { name: "zeros", size: 5 * GIBIBYTE, modifiedAt, crc32 },
        { name: "unknown", size: 5 * GIBIBYTE, modifiedAt, crc32: undefined },
        { name: "after", size: 0, modifiedAt, crc32: 0 },
      ];
      const many = Array.from({ length: 70_000 }, (_, index) => ({
        name: `n/${index}`,
        size: 0,
        modifiedAt,
        crc32: 0,
      }));
      const script = `import zipfile,sys,json
z = zipfile.ZipFile(sys.argv[1]); i = z.infolist()
print(json.dumps([len(i), i[0].file_size, i[-1].filename, i[-1].header_offset, z.read(i[-1]).decode()]))`;
      for (const [name, members] of [
        ["large.zip", large],
        ["many.zip", many],
      ] as const) {
        const file = join(folder, name);
        writeSparse(file, members);
        const [count, size, last, offset, content]: unknown[] = JSON.parse(await run("python3", ["-c", script, file]));
        assert.deepEqual([count, size, last, content], [members.length, members[0]?.size, members.at(-1)?.name, ""]);
        if (members === large) assert.ok(Number(offset) > 10 * GIBIBYTE);
        assert.match(await run("/usr/bin/unzip", ["-Z", "-t", file]), new RegExp(`^${members.length} files`));
      }
    },
  };
}

function writeSparse(file: string, members: readonly ArchiveMember[]): void {
  const descriptor = openSync(file, "w");
  let offset = 0;
  for (const segment of zipSegments(members)) {
    if ("make" in segment) writeSync(descriptor, segment.make(), 0, segment.length, offset);
    else segment.setCrc32?.(0x12345678);
    offset += segment.length;
  }
  ftruncateSync(descriptor, offset);
}

function memberCheck({ site, endpoint, folder, bucket, download, run }: ArchiveTools): Check {
  return {
    name: "members of ZIP files that zip and Python made are read one by one",
    async run() {
      const from = newFolderIn(folder, "to-zip");
      const contents = {
        "text.txt": "line\n".repeat(50_000),
        "ü b.json": "{}",
        "random.bin": readFileSync(site.mebibyte.file),
      };
      for (const [name, content] of Object.entries(contents)) writeFileSync(join(from, name), content);
      await run("/usr/bin/zip", ["-qr", join(folder, "zip.zip"), "."], from);
      await run("/usr/bin/zip", ["-qr0", join(folder, "stored.zip"), "."], from);
      await run("python3", ["-m", "zipfile", "-c", join(folder, "python.zip"), ...Object.keys(contents)], from);
      const client = newClient(site, endpoint);
      for (const name of words("zip.zip stored.zip python.zip")) {
        const Body = readFileSync(join(folder, name));
        await client.send(new PutObjectCommand({ Bucket: bucket, Key: name, Body }));
        for (const [member, content] of Object.entries(contents)) {
          const file = await download(`/${name}?zip-member=${encodeURIComponent(member)}`, "member");
          assert.equal(sha256(readFileSync(file)), sha256(content), `${member} of ${name}`);
        }
      }
      client.destroy();
    },
  };
}

function newFolderIn(folder: string, name: string): string {
  const made = join(folder, `into${name}`);
  mkdirSync(made, { recursive: true });
  return made;
}

/** The files below a folder. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
