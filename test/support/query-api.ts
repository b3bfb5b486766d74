// Calls of IAM and STS for the tests: signed with aws4fetch, sent straight into the Worker, responses parsed strictly.
import { AwsClient } from "aws4fetch";
import { expect } from "vitest";

import { deliver, ENDPOINT, ROOT, send, type RequestScope } from "./client.ts";
import { childrenOf, namesOf, readXml, textOf, type Element } from "./read-xml.ts";
import { drawnUuid } from "./seed.ts";

/** The credentials that sign a request. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export type Parameters = Readonly<Record<string, string>>;

const SERVICES = {
  iam: { version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/" },
  sts: { version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/" },
} as const;

export type Service = keyof typeof SERVICES;

/** How a call differs from what the usual clients send. */
export interface CallOptions {
  readonly credentials?: Credentials;
  readonly method?: "GET" | "POST";
  readonly region?: string;
  readonly scope?: RequestScope;
}

/** Signs a request of a service's API. */
export async function signedCall(
  service: Service,
  body: string,
  { credentials = ROOT, method = "POST", region = "us-east-1" }: CallOptions = {},
): Promise<Request> {
  const client = new AwsClient({ ...credentials, service, region });
  if (method === "GET") return client.sign(`${ENDPOINT}/?${body}`, { method });
  const headers = {
    "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    "content-length": String(new TextEncoder().encode(body).length),
  };
  return client.sign(`${ENDPOINT}/`, { method, headers, body });
}

/** Calls an action and returns the response. */
export async function call(
  service: Service,
  action: string,
  parameters: Parameters = {},
  options: CallOptions = {},
): Promise<Response> {
  const body = new URLSearchParams({ Action: action, Version: SERVICES[service].version, ...parameters }).toString();
  return deliver(await signedCall(service, body, options), options.scope);
}

/** Calls an action that must succeed and returns its result; without a result, an element without children. */
export async function succeed(
  service: Service,
  action: string,
  parameters: Parameters = {},
  options: CallOptions = {},
): Promise<Element> {
  const response = await call(service, action, parameters, options);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/xml");
  const root = readXml(text);
  expect({ name: root.name, attributes: root.attributes }).toEqual({
    name: `${action}Response`,
    attributes: { xmlns: SERVICES[service].namespace },
  });
  const metadata = childrenOf(root, "ResponseMetadata")[0];
  expect(metadata === undefined ? undefined : textOf(metadata, "RequestId")).toBe(
    response.headers.get("x-amzn-requestid"),
  );
  const [result] = childrenOf(root, `${action}Result`);
  expect(namesOf(root)).toEqual(result === undefined ? ["ResponseMetadata"] : [`${action}Result`, "ResponseMetadata"]);
  return result ?? { name: "", attributes: {}, text: "", children: [] };
}

/** Asserts that a response is an error of a service's API, and returns its message. */
export async function expectApiError(
  response: Response,
  service: Service,
  status: number,
  code: string,
  message?: string | RegExp,
): Promise<string> {
  const text = await response.text();
  expect(text).toContain(`<Code>${code}</Code>`);
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toBe("text/xml");
  const root = readXml(text);
  expect(root.name).toBe("ErrorResponse");
  expect(root.attributes).toEqual({ xmlns: SERVICES[service].namespace });
  expect(namesOf(root)).toEqual(["Error", "RequestId"]);
  expect(textOf(root, "RequestId")).toBe(response.headers.get("x-amzn-requestid"));
  const [error] = childrenOf(root, "Error");
  if (error === undefined) throw new Error("no Error");
  expect(namesOf(error)).toEqual(["Type", "Code", "Message"]);
  expect(textOf(error, "Type")).toBe(status < 500 ? "Sender" : "Receiver");
  const said = textOf(error, "Message") ?? "";
  expect(said).not.toBe("");
  if (message !== undefined) expect(said).toMatch(message);
  return said;
}

/** Calls an action that must be rejected. */
export async function refuse(
  service: Service,
  action: string,
  parameters: Parameters,
  refusal: readonly [status: number, code: string, message?: string | RegExp],
  options: CallOptions = {},
): Promise<string> {
  return expectApiError(await call(service, action, parameters, options), service, ...refusal);
}

/** The only child of a name. */
export function only(element: Element, name: string): Element {
  const [found, ...others] = childrenOf(element, name);
  if (found === undefined || others.length > 0) throw new Error(`not one ${name} in ${element.name}`);
  return found;
}

/** The members of a list. */
export function membersOf(element: Element, list: string): readonly Element[] {
  return childrenOf(only(element, list), "member");
}

/** A new user name. */
export function freshUserName(): string {
  return `u-${drawnUuid()}`;
}

/** A user with an access key. */
export interface TestUser {
  readonly name: string;
  readonly credentials: Credentials;
}

/** Creates a user with an access key, and with a policy if one is given. */
export async function freshUser(policy?: object, parameters: Parameters = {}): Promise<TestUser> {
  const name = freshUserName();
  await succeed("iam", "CreateUser", { UserName: name, ...parameters });
  if (policy !== undefined) await putPolicy(name, policy);
  return { name, credentials: await freshKey(name) };
}

/** Makes another access key. */
export async function freshKey(name: string): Promise<Credentials> {
  const key = only(await succeed("iam", "CreateAccessKey", { UserName: name }), "AccessKey");
  return { accessKeyId: textOf(key, "AccessKeyId") ?? "", secretAccessKey: textOf(key, "SecretAccessKey") ?? "" };
}

/** Puts a policy of a user. */
export async function putPolicy(user: string, policy: object, name = "p"): Promise<void> {
  const PolicyDocument = JSON.stringify(policy);
  await succeed("iam", "PutUserPolicy", { UserName: user, PolicyName: name, PolicyDocument });
}

/** A policy that allows actions on resources. */
export function allow(actions: string | readonly string[], resources: string | readonly string[] = "*"): object {
  return { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: actions, Resource: resources }] };
}

/** Temporary credentials from a response of STS. */
export function credentialsOf(result: Element): Required<Credentials> & { readonly expiration: string } {
  const found = only(result, "Credentials");
  expect(namesOf(found)).toEqual(["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"]);
  return {
    accessKeyId: textOf(found, "AccessKeyId") ?? "",
    secretAccessKey: textOf(found, "SecretAccessKey") ?? "",
    sessionToken: textOf(found, "SessionToken") ?? "",
    expiration: textOf(found, "Expiration") ?? "",
  };
}

/** The status of S3's response to a request signed with credentials. */
export async function s3Status(
  credentials: Credentials,
  method: string,
  target: string,
  body?: string,
): Promise<number> {
  const response = await send(method, target, { credentials, body });
  await response.arrayBuffer();
  return response.status;
}

/** The texts of an element's children by name. */
export function fieldsOf(element: Element): Readonly<Record<string, string>> {
  return Object.fromEntries(element.children.map(({ name, text }) => [name, text]));
}
