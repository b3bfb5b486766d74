// What the checks use: endpoints, credentials, a scratch folder, bodies of known bytes, and an environment for programs
// without the caller's own configuration.
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Body, hashBytes } from "./hashes.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface Endpoint {
  readonly scheme: "http" | "https";
  /** Without a trailing slash. */
  readonly url: string;
  /** `host:port`. */
  readonly host: string;
}

export interface Site {
  readonly http: Endpoint;
  readonly https: Endpoint;
  /** The file of the https endpoint's certificate. */
  readonly caFile: string;
  /** Credentials of a user with all rights in S3, and none in IAM. */
  readonly credentials: Credentials;
  /** Credentials of root, for what users cannot do. */
  readonly root: Credentials;
  readonly region: string;
  /** A folder for the files of checks. */
  readonly scratch: string;
  /** Bodies that every client sends in one request. */
  readonly bodies: readonly Body[];
  readonly mebibyte: Body;
  /** A body that clients upload in several parts by default. */
  readonly medium: Body;
  readonly large: Body;
}

/** Cairn's domain for virtual-hosted addressing. */
export const DOMAIN = "s3.cairn.test";

const MEBIBYTE = 1024 ** 2;

/** Makes the bodies of a site in its scratch folder. */
export function makeBodies(scratch: string): Pick<Site, "bodies" | "mebibyte" | "medium" | "large"> {
  return {
    bodies: [
      makeBody(scratch, "0 B", 0),
      makeBody(scratch, "1 B", 1),
      makeBody(scratch, "5 MiB - 1", 5 * MEBIBYTE - 1),
      makeBody(scratch, "8 MiB - 1", 8 * MEBIBYTE - 1),
    ],
    mebibyte: makeBody(scratch, "1 MiB", MEBIBYTE),
    medium: makeBody(scratch, "25 MB", 25_000_000),
    large: makeBody(scratch, "100 MB", 100_000_000),
  };
}

/** The endpoint at a URL. */
export function endpointAt(url: string): Endpoint {
  const { protocol, host } = new URL(url);
  return { scheme: protocol === "https:" ? "https" : "http", url, host };
}

/** The environment of a client's programs, with a home of its own. */
export function clientEnvironment(site: Site, home: string): Record<string, string> {
  mkdirSync(home, { recursive: true });
  return {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    HOME: home,
    TMPDIR: home,
    LANG: "C.UTF-8",
    LC_ALL: "C.UTF-8",
    PYTHONDONTWRITEBYTECODE: "1",
    AWS_CONFIG_FILE: join(home, "aws-config"),
    AWS_SHARED_CREDENTIALS_FILE: join(home, "aws-credentials"),
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_ACCESS_KEY_ID: site.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: site.credentials.secretAccessKey,
    AWS_DEFAULT_REGION: site.region,
    AWS_CA_BUNDLE: site.caFile,
  };
}

/** A bucket name that no other check uses. */
export function newBucketName(prefix: string): string {
  return `${prefix}-${randomBytes(5).toString("hex")}`;
}

/** An empty folder in the scratch folder. */
export function newFolder(site: Site, name: string): string {
  const folder = join(site.scratch, `${name}-${randomBytes(5).toString("hex")}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

function makeBody(scratch: string, label: string, size: number): Body {
  const bytes = randomBytes(size);
  const file = join(scratch, `body-${size}`);
  writeFileSync(file, bytes);
  return { label, file, size, md5: hashBytes("md5", bytes), sha256: hashBytes("sha256", bytes) };
}
