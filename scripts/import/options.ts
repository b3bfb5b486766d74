// The command line of `npm run import`.
import { parseArgs } from "node:util";

export const USAGE = `Usage: npm run import -- s3://BUCKET[/PREFIX] --from ENDPOINT --to ENDPOINT/BUCKET [options]

Copies the objects of a bucket between S3 stores: bytes, part sizes, headers, metadata and tags. It deletes nothing. Run it
again to continue, or to add what is new.

  --from ENDPOINT          store to copy from, such as https://s3.eu-central-1.amazonaws.com
  --to ENDPOINT/BUCKET     store and bucket to copy to
  --from-region REGION     region of the signatures there (default us-east-1)
  --to-region REGION       region of the signatures here (default auto)
  --from-profile NAME      credentials in ~/.aws/credentials (default source); the variables IMPORT_FROM_ACCESS_KEY_ID and
                           IMPORT_FROM_SECRET_ACCESS_KEY precede them
  --to-profile NAME        the same for the target (default cairn, IMPORT_TO_ACCESS_KEY_ID, IMPORT_TO_SECRET_ACCESS_KEY)
  --versions               copy all versions and delete markers, oldest first; they get new ids
  --missing-only           never replace an object that the target has
  --no-mtime               do not store Last-Modified as the metadata mtime, which rclone reads
  --verify                 compare the buckets and copy nothing
  --state FILE             file that lists what is copied (default import.state)
  --concurrency N          keys at a time (default 8)
  --help                   this text`;

/** A bucket of a store. */
export interface Place {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly profile: string;
  /** The prefix of the variables that precede the profile. */
  readonly variables: string;
}

export interface ImportOptions {
  readonly source: Place;
  readonly target: Place;
  readonly prefix: string;
  readonly versions: boolean;
  readonly missingOnly: boolean;
  readonly keepsTime: boolean;
  readonly verify: boolean;
  readonly state: string;
  readonly concurrency: number;
}

/** Reads the command line; undefined if it asks for help. Throws what is wrong with it. */
export function readOptions(args: readonly string[]): ImportOptions | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      from: { type: "string" },
      to: { type: "string" },
      "from-region": { type: "string", default: "us-east-1" },
      "to-region": { type: "string", default: "auto" },
      "from-profile": { type: "string", default: "source" },
      "to-profile": { type: "string", default: "cairn" },
      versions: { type: "boolean", default: false },
      "missing-only": { type: "boolean", default: false },
      "no-mtime": { type: "boolean", default: false },
      verify: { type: "boolean", default: false },
      state: { type: "string", default: "import.state" },
      concurrency: { type: "string", default: "8" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const [, bucket, prefix = ""] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(positionals[0] ?? "") ?? [];
  if (bucket === undefined || positionals.length !== 1)
    throw new Error("name one bucket to copy: s3://BUCKET[/PREFIX]");
  const source = endpointOf("--from", values.from);
  const target = endpointOf("--to", values.to);
  if (source.path !== "") throw new Error("--from is an endpoint without a path; the bucket is in s3://BUCKET");
  if (!/^[^/]+$/.test(target.path)) throw new Error("--to is an endpoint and a bucket: https://s3.example.com/BUCKET");
  const concurrency = Number(values.concurrency);
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 256) {
    throw new Error(`--concurrency ${values.concurrency}: expected a number from 1 to 256`);
  }
  if (values.versions && values["missing-only"]) throw new Error("--versions and --missing-only exclude each other");
  return {
    source: {
      endpoint: source.origin,
      bucket,
      region: values["from-region"],
      profile: values["from-profile"],
      variables: "IMPORT_FROM",
    },
    target: {
      endpoint: target.origin,
      bucket: target.path,
      region: values["to-region"],
      profile: values["to-profile"],
      variables: "IMPORT_TO",
    },
    prefix,
    versions: values.versions,
    missingOnly: values["missing-only"],
    keepsTime: !values["no-mtime"],
    verify: values.verify,
    state: values.state,
    concurrency,
  };
}

function endpointOf(option: string, text: string | undefined): { readonly origin: string; readonly path: string } {
  if (text === undefined) throw new Error(`${option} is missing`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== "" || url.username !== "") {
    throw new Error(`${option} ${text}: expected a URL such as https://s3.example.com`);
  }
  return { origin: url.origin, path: decodeURIComponent(url.pathname.replace(/^\/|\/$/g, "")) };
}
