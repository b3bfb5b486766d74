// The text that a started server prints: its endpoint, the root credentials, and a command for each of the usual
// clients. Only the start that generates a secret shows it, because terminals and logs retain what they show.
import { SECRET_ACCESS_KEY, type Credentials } from "../project/credentials.ts";

/** The source of root's secret. */
export type SecretSource =
  | { readonly kind: "made"; readonly file: string }
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "environment" };

/** The text for the terminal. Scripts wait for its last line, `ready URL`. */
export function greeting(
  url: string,
  region: string,
  { accessKeyId, secretAccessKey }: Credentials,
  source: SecretSource,
  /** A link that signs in to the web console, if it is served. */
  consoleLink?: string,
): string {
  const isShown = source.kind === "made";
  const secret = isShown ? secretAccessKey : `$${SECRET_ACCESS_KEY}`;
  const [inShell, inPython] = isShown
    ? [`'${secret}'`, `"${secret}"`]
    : [`"${secret}"`, `os.environ["${SECRET_ACCESS_KEY}"]`];
  const rclone = [
    ":s3,provider=Other",
    `endpoint='${url}'`,
    `region=${region}`,
    `access_key_id=${accessKeyId}`,
    `secret_access_key='${secret}':`,
  ].join(",");
  return `
Cairn serves S3 on this machine. Ctrl-C stops it.

  endpoint           ${url}
  region             ${region}
  access key id      ${accessKeyId}
  secret access key  ${secretLine(secret, source)}
${consoleLink === undefined ? "" : `  console            ${consoleLink}\n                     (signs in once, within an hour)\n`}
aws-cli
  export AWS_ACCESS_KEY_ID='${accessKeyId}' AWS_SECRET_ACCESS_KEY=${inShell} AWS_DEFAULT_REGION=${region}
  aws --endpoint-url ${url} s3 mb s3://my-bucket
boto3
  s3 = boto3.client("s3", endpoint_url="${url}", region_name="${region}", aws_access_key_id="${accessKeyId}", aws_secret_access_key=${inPython})
rclone
  rclone lsd "${rclone}"

ready ${url}`;
}

function secretLine(secret: string, source: SecretSource): string {
  if (source.kind === "made") return `${secret}   (shown only now; stored in ${source.file})`;
  if (source.kind === "environment") return `the value of ${SECRET_ACCESS_KEY} in the environment`;
  return `stored in ${source.file}; \`set -a; . '${source.file}'; set +a\` fills it in below`;
}
