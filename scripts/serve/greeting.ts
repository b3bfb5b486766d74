// What a started server prints: where it is, who root is, and a line to paste into each of the usual clients.
import type { Credentials } from "../project/credentials.ts";

/** The text for the terminal; its last line, `ready URL`, is what scripts wait for. */
export function greeting(url: string, region: string, { accessKeyId, secretAccessKey }: Credentials): string {
  const rclone = [
    ":s3,provider=Other",
    `endpoint='${url}'`,
    `region=${region}`,
    `access_key_id=${accessKeyId}`,
    `secret_access_key='${secretAccessKey}':`,
  ].join(",");
  return `
Cairn serves S3 on this machine. Ctrl-C stops it.

  endpoint           ${url}
  region             ${region}
  access key id      ${accessKeyId}
  secret access key  ${secretAccessKey}

aws-cli
  export AWS_ACCESS_KEY_ID='${accessKeyId}' AWS_SECRET_ACCESS_KEY='${secretAccessKey}' AWS_DEFAULT_REGION=${region}
  aws --endpoint-url ${url} s3 mb s3://my-bucket
boto3
  s3 = boto3.client("s3", endpoint_url="${url}", region_name="${region}", aws_access_key_id="${accessKeyId}", aws_secret_access_key="${secretAccessKey}")
rclone
  rclone lsd "${rclone}"

ready ${url}`;
}
