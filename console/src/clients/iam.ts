// Calls of IAM on users, their access keys and their inline policies.
import type { Connection } from "./connection.ts";
import { ServiceError } from "./failures.ts";
import { callQueryApi } from "./query-api.ts";
import { childOf, childrenOf, optionalText, textOf } from "./xml.ts";

export interface User {
  readonly name: string;
  readonly arn: string;
  readonly path: string;
  /** In ms. */
  readonly createdAt: number;
}

export interface AccessKey {
  readonly id: string;
  readonly isActive: boolean;
  /** In ms. */
  readonly createdAt: number;
}

/** A new key. Only the response to its creation contains the secret. */
export interface NewAccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** All users. */
export async function listUsers(connection: Connection): Promise<User[]> {
  const members = await listAll(connection, "ListUsers", {}, "Users");
  return members.map((member) => ({
    name: textOf(member, "UserName"),
    arn: textOf(member, "Arn"),
    path: textOf(member, "Path"),
    createdAt: Date.parse(textOf(member, "CreateDate")),
  }));
}

/** @throws ServiceError NoSuchEntity if there is no such user */
export async function requireUser(connection: Connection, name: string): Promise<void> {
  await callQueryApi(connection, "iam", "GetUser", { UserName: name });
}

export async function createUser(connection: Connection, name: string): Promise<void> {
  await callQueryApi(connection, "iam", "CreateUser", { UserName: name });
}

/** Deletes a user's keys and policies, and then the user: IAM requires this order. */
export async function deleteUser(connection: Connection, name: string): Promise<void> {
  for (const { id } of await listAccessKeys(connection, name)) await deleteAccessKey(connection, name, id);
  for (const policy of await listUserPolicies(connection, name)) await deleteUserPolicy(connection, name, policy);
  await callQueryApi(connection, "iam", "DeleteUser", { UserName: name });
}

export async function listAccessKeys(connection: Connection, user: string): Promise<AccessKey[]> {
  const members = await listAll(connection, "ListAccessKeys", { UserName: user }, "AccessKeyMetadata");
  return members.map((member) => ({
    id: textOf(member, "AccessKeyId"),
    isActive: textOf(member, "Status") === "Active",
    createdAt: Date.parse(textOf(member, "CreateDate")),
  }));
}

export async function createAccessKey(connection: Connection, user: string): Promise<NewAccessKey> {
  const key = childOf(await callQueryApi(connection, "iam", "CreateAccessKey", { UserName: user }), "AccessKey");
  return { accessKeyId: textOf(key, "AccessKeyId"), secretAccessKey: textOf(key, "SecretAccessKey") };
}

export async function setAccessKeyActive(
  connection: Connection,
  user: string,
  id: string,
  isActive: boolean,
): Promise<void> {
  const parameters = { UserName: user, AccessKeyId: id, Status: isActive ? "Active" : "Inactive" };
  await callQueryApi(connection, "iam", "UpdateAccessKey", parameters);
}

export async function deleteAccessKey(connection: Connection, user: string, id: string): Promise<void> {
  await callQueryApi(connection, "iam", "DeleteAccessKey", { UserName: user, AccessKeyId: id });
}

/** When a key was last used, in ms; undefined: no use is recorded. */
export async function getAccessKeyLastUse(connection: Connection, id: string): Promise<number | undefined> {
  const result = await callQueryApi(connection, "iam", "GetAccessKeyLastUsed", { AccessKeyId: id });
  const at = Date.parse(textOf(result, "AccessKeyLastUsed", "LastUsedDate"));
  return Number.isNaN(at) ? undefined : at;
}

/** The names of a user's inline policies. */
export async function listUserPolicies(connection: Connection, user: string): Promise<string[]> {
  const members = await listAll(connection, "ListUserPolicies", { UserName: user }, "PolicyNames");
  return members.map(({ textContent }) => textContent ?? "");
}

/** A policy's document; undefined if there is none of this name. */
export async function getUserPolicy(connection: Connection, user: string, policy: string): Promise<string | undefined> {
  const parameters = { UserName: user, PolicyName: policy };
  try {
    const result = await callQueryApi(connection, "iam", "GetUserPolicy", parameters);
    return decodeURIComponent(textOf(result, "PolicyDocument"));
  } catch (failure) {
    if (failure instanceof ServiceError && failure.code === "NoSuchEntity") return undefined;
    throw failure;
  }
}

export async function putUserPolicy(
  connection: Connection,
  user: string,
  policy: string,
  document: string,
): Promise<void> {
  const parameters = { UserName: user, PolicyName: policy, PolicyDocument: document };
  await callQueryApi(connection, "iam", "PutUserPolicy", parameters);
}

export async function deleteUserPolicy(connection: Connection, user: string, policy: string): Promise<void> {
  await callQueryApi(connection, "iam", "DeleteUserPolicy", { UserName: user, PolicyName: policy });
}

/** The members of a list on all its pages. */
export async function listAll(
  connection: Connection,
  action: string,
  parameters: Readonly<Record<string, string>>,
  list: string,
): Promise<Element[]> {
  const members: Element[] = [];
  let marker: string | undefined;
  do {
    const result = await callQueryApi(connection, "iam", action, { ...parameters, Marker: marker });
    members.push(...childrenOf(childOf(result, list), "member"));
    marker = textOf(result, "IsTruncated") === "true" ? optionalText(result, "Marker") : undefined;
  } while (marker !== undefined);
  return members;
}
