// The destinations of events that the operator declares: queues by their bindings, webhooks by URL and secret.

/** A receiver of signed HTTP requests. */
export interface Webhook {
  readonly url: string;
  readonly secret: string;
}

export interface EventTargets {
  /** The names of bindings of queues. */
  readonly queues: ReadonlySet<string>;
  readonly webhooks: ReadonlyMap<string, Webhook>;
}

const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const MIN_SECRET_LENGTH = 16;

export function isTargetName(text: string): boolean {
  return NAME.test(text);
}

/** Parses the JSON of EVENT_WEBHOOKS: `{"name": {"url": "https://…", "secret": "…"}}`; undefined if it is invalid. */
export function parseWebhooks(text: string): ReadonlyMap<string, Webhook> | undefined {
  const webhooks = new Map<string, Webhook>();
  if (text === "") return webhooks;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return undefined;
  for (const [name, value] of Object.entries(parsed)) {
    const webhook = readWebhook(value);
    if (webhook === undefined || !isTargetName(name)) return undefined;
    webhooks.set(name, webhook);
  }
  return webhooks;
}

function readWebhook(value: unknown): Webhook | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const url: unknown = Reflect.get(value, "url");
  const secret: unknown = Reflect.get(value, "secret");
  if (typeof url !== "string" || typeof secret !== "string" || secret.length < MIN_SECRET_LENGTH) return undefined;
  if (!URL.canParse(url)) return undefined;
  const { protocol, username, password, hash } = new URL(url);
  if ((protocol !== "https:" && protocol !== "http:") || username !== "" || password !== "" || hash !== "") {
    return undefined;
  }
  return { url, secret };
}

/** A destination of a notification rule. */
export interface Destination {
  readonly type: "queue" | "webhook";
  readonly name: string;
}

/** Reads `arn:cairn:queue:::NAME` or `arn:cairn:webhook:::NAME`; undefined for any other text. */
export function readDestination(arn: string): Destination | undefined {
  const [, type, name] = /^arn:cairn:(queue|webhook):::([^:]+)$/.exec(arn) ?? [];
  if (name === undefined || !isTargetName(name)) return undefined;
  return { type: type === "queue" ? "queue" : "webhook", name };
}

/** Whether the operator declares a destination. */
export function isDeclared({ queues, webhooks }: EventTargets, arn: string): boolean {
  const destination = readDestination(arn);
  if (destination === undefined) return false;
  return destination.type === "queue" ? queues.has(destination.name) : webhooks.has(destination.name);
}
