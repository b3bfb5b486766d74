// What stops a deployment: one plain sentence and what to do about it, with wrangler's own words kept for the end.

/** Stops the deployment with a message for the user. */
export class DeployFailure extends Error {
  /** What wrangler printed, where it was wrangler that failed. */
  readonly output: string | undefined;

  constructor(message: string, output?: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = "DeployFailure";
    this.output = output;
  }
}

/** An error that Cloudflare's API answered. */
export class ApiFailure extends Error {
  readonly status: number;
  readonly code: number;
  readonly path: string;

  constructor(status: number, code: number, message: string, path: string) {
    super(message);
    this.name = "ApiFailure";
    this.status = status;
    this.code = code;
    this.path = path;
  }
}

const CREATE_TOKEN = "https://dash.cloudflare.com/profile/api-tokens";

/** The permission that each part of the API asks of a token, as the dashboard names it. */
const PERMISSIONS: readonly (readonly [path: RegExp, permission: string])[] = [
  [/\/d1\//, "D1: Edit"],
  [/\/r2\//, "Workers R2 Storage: Edit"],
  [/\/workers\//, "Workers Scripts: Edit"],
];

/** Says in one sentence why the API refused, and what to do. */
export function explain(error: unknown, account: { readonly id: string; readonly name: string }): unknown {
  if (!(error instanceof ApiFailure)) return error;
  const { code, status, path, message } = error;
  const dashboard = `https://dash.cloudflare.com/${account.id}`;
  const failure = (text: string): DeployFailure => new DeployFailure(text, undefined, error);
  if (code === 10_042)
    return failure(`R2 is not enabled in the account ${account.name}: enable it at ${dashboard}/r2/overview.`);
  if (code === 7406) {
    return failure(
      `The account ${account.name} has as many D1 databases as its plan allows: delete one, or upgrade at ${dashboard}/workers/plans.`,
    );
  }
  if (code === 10_000 || status === 401 || status === 403) {
    const permission = PERMISSIONS.find(([pattern]) => pattern.test(path))?.[1] ?? "Account Settings: Read";
    return failure(
      `The API token lacks the permission "${permission}" in the account ${account.name}: add it at ${CREATE_TOKEN}, or run \`npx wrangler login\` without a token.`,
    );
  }
  return failure(`Cloudflare's API answered ${path} with "${message}" (status ${status}, code ${code}): try again.`);
}
