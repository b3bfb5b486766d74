// Calls of IAM and STS, whose requests are forms and whose answers are XML.
import type { Connection } from "./connection.ts";
import { childOf, parseXml } from "./xml.ts";

const VERSIONS = { iam: "2010-05-08", sts: "2011-06-15" } as const;

/**
 * Calls an action. @returns its result element
 * @throws ServiceError, NetworkFailure
 */
export async function callQueryApi(
  connection: Connection,
  service: keyof typeof VERSIONS,
  action: string,
  parameters: Readonly<Record<string, string | undefined>> = {},
): Promise<Element> {
  const form = new URLSearchParams({ Action: action, Version: VERSIONS[service] });
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) form.set(name, value);
  const response = await connection.send({
    service,
    method: "POST",
    path: "/",
    headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
    body: form.toString(),
  });
  const root = parseXml(await response.text());
  return childOf(root, `${action}Result`) ?? root;
}
