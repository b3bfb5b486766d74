// Users for tests of S3: with an access key and the given statements.
import type { SendOptions } from "./client.ts";
import { freshKey, freshUserName, only, putPolicy, succeed } from "./query-api.ts";
import { textOf } from "./read-xml.ts";

/** A user with one access key. */
export interface TestUser {
  readonly name: string;
  readonly arn: string;
  readonly credentials: NonNullable<SendOptions["credentials"]>;
}

/** Creates a user with an access key and, if given, these statements. */
export async function freshUser(...statements: readonly object[]): Promise<TestUser> {
  const name = freshUserName();
  const user = only(await succeed("iam", "CreateUser", { UserName: name }), "User");
  const made = { name, arn: textOf(user, "Arn") ?? "", credentials: await freshKey(name) };
  if (statements.length > 0) await allow(made, ...statements);
  return made;
}

/** Replaces a user's statements. */
export async function allow({ name }: Pick<TestUser, "name">, ...statements: readonly object[]): Promise<void> {
  await putPolicy(name, { Version: "2012-10-17", Statement: statements }, "only");
}
