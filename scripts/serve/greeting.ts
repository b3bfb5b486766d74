// What a started server prints: where it is, who root is, and a line to paste into each of the usual clients. A secret is
// shown by the start that has made it and by no other: what a terminal or a log has kept is not the place to find it.
import { SECRET_ACCESS_KEY, type Credentials } from "../project/credentials.ts";

/** Where the secret of root is to be found. */
export type SecretSource =
  | { readonly kind: "made"; readonly file: string }
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "environment" };

/** The text for the terminal; its last line, `ready URL`, is what scripts wait for. */
export function greeting(
  url: string,
  region: string,
  { accessKeyId, secretAccessKey }: Credentials,
  source: SecretSource,
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
  if (source.kind === "made") return `${secret}   (shown this once; it is kept in ${source.file})`;
  if (source.kind === "environment") return `as ${SECRET_ACCESS_KEY} of the environment says`;
  return `is kept in ${source.file}; \`set -a; . '${source.file}'; set +a\` fills it in below`;
}
