// Sees to it that the clients are on the machine, from Debian's packages. What cannot be had is left missing: the
// client's own suite fails then.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { reasonOf } from "./harness.ts";
import { outputOf } from "./run-command.ts";

/** Debian's package of each program, so that the versions are those that many people have. */
const PACKAGES = {
  awscli: "/usr/bin/aws",
  "python3-boto3": "/usr/lib/python3/dist-packages/boto3/__init__.py",
  rclone: "/usr/bin/rclone",
  s3cmd: "/usr/bin/s3cmd",
  s3fs: "/usr/bin/s3fs",
  fuse3: "/usr/bin/fusermount3",
  restic: "/usr/bin/restic",
  curl: "/usr/bin/curl",
  chromium: "/usr/bin/chromium",
  openssl: "/usr/bin/openssl",
  zip: "/usr/bin/zip",
  unzip: "/usr/bin/unzip",
  "libarchive-tools": "/usr/bin/bsdtar",
} as const;

const INSTALL_TIMEOUT_MS = 300_000;

/** Installs the packages that are missing, when running as root on a system that has apt-get. */
export async function installMissingClients(): Promise<void> {
  const missing = Object.entries(PACKAGES).filter(([, file]) => !existsSync(file));
  if (missing.length === 0) return;
  const names = missing.map(([name]) => name);
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    console.log(`missing, and not to be installed by this user: ${names.join(", ")}`);
    return;
  }
  console.log(`installing ${names.join(", ")}`);
  try {
    await aptGet("install", ...names).catch(async () => {
      await aptGet("update");
      await aptGet("install", ...names);
    });
  } catch (error) {
    console.log(reasonOf(error));
  }
}

/** Installs npm packages, of exact versions, in a folder. Answers the folder of their modules. */
export async function installPackages(folder: string, packages: readonly string[]): Promise<string> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), "{}");
  const npm = join(dirname(process.execPath), "npm");
  await outputOf(
    existsSync(npm) ? npm : "npm",
    ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save", ...packages],
    { env: definedOnly(process.env), cwd: folder, timeoutMs: INSTALL_TIMEOUT_MS },
  );
  return join(folder, "node_modules");
}

async function aptGet(...argumentList: readonly string[]): Promise<void> {
  const env = definedOnly({ ...process.env, DEBIAN_FRONTEND: "noninteractive" });
  await outputOf("/usr/bin/apt-get", ["-qq", "-y", ...argumentList], { env, timeoutMs: INSTALL_TIMEOUT_MS });
}

/** An environment as programs are given it. */
export function definedOnly(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
