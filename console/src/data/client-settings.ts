// Settings of S3 clients for an endpoint and a set of credentials, ready to paste. docs/clients.md shows the same texts, and
// the console's checks run the clients with them.
export interface ClientPlace {
  /** Without a trailing slash. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Only in temporary credentials. */
  readonly sessionToken?: string | undefined;
}

export interface ClientSettings {
  /** The client's own name. */
  readonly client: string;
  /** Where the text goes: a file, or the shell. */
  readonly target: string;
  readonly text: string;
}

/** The settings of all clients, in the order in which they are shown. */
export function clientSettings(place: ClientPlace): ClientSettings[] {
  return [
    { client: "aws-cli", target: "~/.aws/config", text: awsCli(place) },
    { client: "boto3", target: "Python", text: boto3(place) },
    { client: "rclone", target: "~/.config/rclone/rclone.conf", text: rclone(place) },
    { client: "s3cmd", target: "~/.s3cfg", text: s3cmd(place) },
    { client: "Terraform", target: "provider.tf", text: terraform(place) },
    { client: "JavaScript", target: "@aws-sdk/client-s3", text: javaScript(place) },
    { client: "DuckDB", target: "SQL", text: duckDb(place) },
    { client: "restic", target: "sh", text: restic(place) },
  ];
}

/** Joins the parts that are defined. */
function linesOf(...lines: readonly (string | undefined)[]): string {
  return lines.filter((line) => line !== undefined).join("\n");
}

function withToken({ sessionToken }: ClientPlace, write: (token: string) => string): string | undefined {
  return sessionToken === undefined ? undefined : write(sessionToken);
}

function awsCli(place: ClientPlace): string {
  return linesOf(
    "[profile cairn]",
    "region = auto",
    `endpoint_url = ${place.endpoint}`,
    `aws_access_key_id = ${place.accessKeyId}`,
    `aws_secret_access_key = ${place.secretAccessKey}`,
    withToken(place, (token) => `aws_session_token = ${token}`),
  );
}

function boto3(place: ClientPlace): string {
  return linesOf(
    "import boto3",
    "from botocore.config import Config",
    "",
    "s3 = boto3.client(",
    '    "s3",',
    `    endpoint_url="${place.endpoint}",`,
    '    region_name="auto",',
    `    aws_access_key_id="${place.accessKeyId}",`,
    `    aws_secret_access_key="${place.secretAccessKey}",`,
    withToken(place, (token) => `    aws_session_token="${token}",`),
    '    config=Config(signature_version="s3v4"),',
    ")",
  );
}

function rclone(place: ClientPlace): string {
  return linesOf(
    "[cairn]",
    "type = s3",
    "provider = Other",
    `access_key_id = ${place.accessKeyId}`,
    `secret_access_key = ${place.secretAccessKey}`,
    withToken(place, (token) => `session_token = ${token}`),
    `endpoint = ${place.endpoint}`,
    "region = auto",
    "force_path_style = true",
  );
}

function s3cmd(place: ClientPlace): string {
  const { host, protocol } = new URL(place.endpoint);
  return linesOf(
    "[default]",
    `access_key = ${place.accessKeyId}`,
    `secret_key = ${place.secretAccessKey}`,
    withToken(place, (token) => `access_token = ${token}`),
    `host_base = ${host}`,
    `host_bucket = ${host}`,
    "bucket_location = auto",
    `use_https = ${protocol === "https:" ? "True" : "False"}`,
  );
}

function terraform(place: ClientPlace): string {
  const services = ["s3", "s3control", "iam", "sts"];
  return linesOf(
    'provider "aws" {',
    `  region                  = "auto"`,
    `  access_key              = "${place.accessKeyId}"`,
    `  secret_key              = "${place.secretAccessKey}"`,
    withToken(place, (token) => `  token                   = "${token}"`),
    "  skip_metadata_api_check = true",
    "  skip_region_validation  = true",
    "  s3_use_path_style       = true",
    "  endpoints {",
    ...services.map((service) => `    ${service.padEnd(9)} = "${place.endpoint}"`),
    "  }",
    "}",
  );
}

function javaScript(place: ClientPlace): string {
  return linesOf(
    'import { S3Client } from "@aws-sdk/client-s3";',
    "",
    "const s3 = new S3Client({",
    `  endpoint: "${place.endpoint}",`,
    '  region: "auto",',
    "  forcePathStyle: true,",
    "  credentials: {",
    `    accessKeyId: "${place.accessKeyId}",`,
    `    secretAccessKey: "${place.secretAccessKey}",`,
    withToken(place, (token) => `    sessionToken: "${token}",`),
    "  },",
    "});",
  );
}

function duckDb(place: ClientPlace): string {
  const { host, protocol } = new URL(place.endpoint);
  return linesOf(
    "INSTALL httpfs;",
    "LOAD httpfs;",
    "CREATE SECRET cairn (",
    "  TYPE s3,",
    `  KEY_ID '${place.accessKeyId}',`,
    `  SECRET '${place.secretAccessKey}',`,
    withToken(place, (token) => `  SESSION_TOKEN '${token}',`),
    `  ENDPOINT '${host}',`,
    "  REGION 'auto',",
    "  URL_STYLE 'path',",
    `  USE_SSL ${protocol === "https:"}`,
    ");",
  );
}

function restic(place: ClientPlace): string {
  return linesOf(
    `export AWS_ACCESS_KEY_ID='${place.accessKeyId}'`,
    `export AWS_SECRET_ACCESS_KEY='${place.secretAccessKey}'`,
    withToken(place, (token) => `export AWS_SESSION_TOKEN='${token}'`),
    "export AWS_DEFAULT_REGION=auto",
    `export RESTIC_REPOSITORY='s3:${place.endpoint}/my-bucket/restic'`,
  );
}
