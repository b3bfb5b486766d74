// What the checks of the AWS command line share: the program for an endpoint, with its own configuration.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { outputOf } from "../run-command.ts";
import { clientEnvironment, type Endpoint, newBucketName, newFolder, type Site } from "../site.ts";

export interface AwsCliTools {
  readonly site: Site;
  readonly endpoint: Endpoint;
  readonly bucket: string;
  /** The suite's folder. */
  readonly folder: string;
  /** Runs a command that must succeed; returns its output. */
  readonly aws: (...argumentList: readonly string[]) => Promise<string>;
  /** Does the same with more environment variables. */
  readonly awsWith: (
    variables: Readonly<Record<string, string>>,
    ...argumentList: readonly string[]
  ) => Promise<string>;
  /** Runs an `s3api` command that must succeed; returns its JSON, or null if it prints none. */
  readonly json: (...argumentList: readonly string[]) => Promise<unknown>;
}

const TIMEOUT_MS = 120_000;

/** The program at an endpoint. Uploads of any size are one request. */
export function awsCliTools(site: Site, endpoint: Endpoint, program: string): AwsCliTools {
  const folder = newFolder(site, "aws-cli");
  const configuration = join(folder, "configuration");
  writeFileSync(configuration, "[default]\ns3 =\n  multipart_threshold = 5GB\n");
  const env = {
    ...clientEnvironment(site, folder),
    AWS_CONFIG_FILE: configuration,
    AWS_PAGER: "",
    AWS_MAX_ATTEMPTS: "1",
  };
  const awsWith: AwsCliTools["awsWith"] = (variables, ...argumentList) =>
    outputOf(program, ["--endpoint-url", endpoint.url, ...argumentList], {
      env: { ...env, ...variables },
      cwd: folder,
      timeoutMs: TIMEOUT_MS,
    });
  const aws: AwsCliTools["aws"] = (...argumentList) => awsWith({}, ...argumentList);
  return {
    site,
    endpoint,
    bucket: newBucketName("aws-cli"),
    folder,
    aws,
    awsWith,
    async json(...argumentList) {
      const text = await aws("s3api", ...argumentList, "--output", "json");
      const value: unknown = text.trim() === "" ? null : JSON.parse(text);
      return value;
    },
  };
}
