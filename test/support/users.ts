// Users of the account, made as a client makes them.
import { AwsClient } from "aws4fetch";
import { expect } from "vitest";

import { deliver, ENDPOINT, ROOT, type SendOptions } from "./client.ts";
import { readXml, textOf, childrenOf } from "./read-xml.ts";

type Credentials = NonNullable<SendOptions["credentials"]>;

/** A user with one access key. */
export interface TestUser {
  readonly name: string;
  readonly arn: string;
  readonly credentials: Credentials;
}

/** Calls IAM or STS. */
export async function call(
  service: "iam" | "sts",
  parameters: Readonly<Record<string, string>>,
  credentials: Credentials & { readonly sessionToken?: string } = ROOT,
): Promise<Response> {
  const version = service === "iam" ? "2010-05-08" : "2011-06-15";
  const client = new AwsClient({ ...credentials, service, region: "us-east-1" });
  const request = await client.sign(`${ENDPOINT}/`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
    body: new URLSearchParams({ Version: version, ...parameters }).toString(),
  });
  return deliver(request);
}

/** Makes a user with an access key and, where one is given, a policy. */
export async function freshUser(...statements: readonly object[]): Promise<TestUser> {
  const name = `u-${crypto.randomUUID()}`;
  const created = await call("iam", { Action: "CreateUser", UserName: name });
  const user = readXml(await created.text());
  expect(created.status).toBe(200);
  const response = await call("iam", { Action: "CreateAccessKey", UserName: name });
  expect(response.status).toBe(200);
  const [result] = childrenOf(readXml(await response.text()), "CreateAccessKeyResult");
  const [key] = result === undefined ? [] : childrenOf(result, "AccessKey");
  const [created_] = childrenOf(user, "CreateUserResult").flatMap((node) => childrenOf(node, "User"));
  if (key === undefined || created_ === undefined) throw new Error("no access key");
  const credentials = {
    accessKeyId: textOf(key, "AccessKeyId") ?? "",
    secretAccessKey: textOf(key, "SecretAccessKey") ?? "",
  };
  const made = { name, arn: textOf(created_, "Arn") ?? "", credentials };
  if (statements.length > 0) await allow(made, ...statements);
  return made;
}

/** Gives a user these statements and no others. */
export async function allow({ name }: Pick<TestUser, "name">, ...statements: readonly object[]): Promise<void> {
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  const response = await call("iam", { Action: "PutUserPolicy", UserName: name, PolicyName: "only", PolicyDocument });
  expect(await response.text()).toContain("PutUserPolicyResponse");
}
