// IAM's actions on access keys: CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey,
// GetAccessKeyLastUsed. A secret is returned once, when it is created, and stored encrypted.
import { userArn } from "../auth/identity/identity-arns.ts";
import { newId, newSecret } from "../auth/identity/new-credentials.ts";
import { formatIsoSeconds } from "../bytes/dates.ts";
import { element, type XmlElement } from "../bytes/xml.ts";
import { ACCESS_KEY_ID } from "../protocol/iam/identity-parameters.ts";
import { constraintError, QueryApiError } from "../protocol/iam/query-api-error.ts";
import { memberList } from "../protocol/iam/query-api-xml.ts";
import {
  deleteAccessKey,
  insertAccessKey,
  listAccessKeys,
  lookUpAccessKeyUse,
  setAccessKeyStatus,
  type AccessKey,
  type AccessKeyStatus,
} from "../state/identities/access-keys.ts";
import type { Statement } from "../state/d1/database.ts";
import { lookUpUserById } from "../state/identities/users.ts";
import { defineUserAction, requirePermission, resourceTagKeys, type Action, type Call } from "./action.ts";
import { requireKeys } from "./master-key.ts";
import { pageOf } from "./paging.ts";

/** Two, so that a client can rotate its key. */
const MAX_ACCESS_KEYS = 2;

const createAccessKey = defineUserAction({
  name: "CreateAccessKey",
  isCallerByDefault: true,

  async run(call, user) {
    const keys = requireKeys(call);
    const key: AccessKey = { id: newId("accessKey"), status: "Active", createdAt: call.now };
    const secret = newSecret();
    const encrypted = await keys.encrypt(secret, key.id);
    const [inserted] = await call.database.batch([insertAccessKey(user.id, key, encrypted, MAX_ACCESS_KEYS)]);
    if (inserted?.changes !== 1) {
      throw new QueryApiError("LimitExceeded", `Cannot exceed quota for AccessKeysPerUser: ${MAX_ACCESS_KEYS}`);
    }
    const [name, id, status, created] = keyElements(user.name, key);
    return [element("AccessKey", [name, id, status, element("SecretAccessKey", secret), created])];
  },
});

const listAccessKeysAction = defineUserAction({
  name: "ListAccessKeys",
  isCallerByDefault: true,

  async run({ parameters, database }, user) {
    const found = await database.look(listAccessKeys(user.id));
    const { page, elements } = await pageOf(found, ageAndId, parameters, ["access keys", user.id]);
    const members = page.map((key) => keyElements(user.name, key));
    return [memberList("AccessKeyMetadata", members), ...elements];
  },
});

const updateAccessKey = defineUserAction({
  name: "UpdateAccessKey",
  isCallerByDefault: true,

  async run(call, { id: userId }) {
    const id = call.parameters.text("AccessKeyId", ACCESS_KEY_ID);
    const status = readStatus(call.parameters.get("Status"));
    await changeKey(call, id, setAccessKeyStatus(userId, id, status));
    return undefined;
  },
});

const deleteAccessKeyAction = defineUserAction({
  name: "DeleteAccessKey",
  isCallerByDefault: true,

  async run(call, { id: userId }) {
    const id = call.parameters.text("AccessKeyId", ACCESS_KEY_ID);
    await changeKey(call, id, deleteAccessKey(userId, id));
    return undefined;
  },
});

/** The only action that finds the user by the access key. */
const getAccessKeyLastUsed: Action = {
  name: "GetAccessKeyLastUsed",

  async run(call) {
    const id = call.parameters.text("AccessKeyId", ACCESS_KEY_ID);
    const { database, settings } = call;
    const { use } = await database.look(lookUpAccessKeyUse(id));
    const { user } = use === undefined ? { user: undefined } : await database.look(lookUpUserById(use.userId));
    // Only a caller with the permission for every user learns that a key does not exist.
    const resource = userArn(settings.accountId, user?.path ?? "/", user?.name ?? "*");
    requirePermission(call, "iam:GetAccessKeyLastUsed", resource, resourceTagKeys(user), `access key ${id}`);
    if (use === undefined || user === undefined) throw noSuchKey(id);
    const { lastUse } = use;
    return [
      element("UserName", user.name),
      element("AccessKeyLastUsed", [
        lastUse === undefined ? undefined : element("LastUsedDate", formatIsoSeconds(lastUse.at)),
        element("ServiceName", lastUse?.service ?? "N/A"),
        element("Region", lastUse?.region ?? "N/A"),
      ]),
    ];
  },
};

export const ACCESS_KEY_ACTIONS: readonly Action[] = [
  createAccessKey,
  listAccessKeysAction,
  updateAccessKey,
  deleteAccessKeyAction,
  getAccessKeyLastUsed,
];

/** Sorts by age, the oldest first; thirteen digits suffice until the year 2286. */
function ageAndId({ createdAt, id }: AccessKey): string {
  return `${String(createdAt).padStart(13, "0")} ${id}`;
}

function keyElements(userName: string, { id, status, createdAt }: AccessKey): XmlElement[] {
  return [
    element("UserName", userName),
    element("AccessKeyId", id),
    element("Status", status),
    element("CreateDate", formatIsoSeconds(createdAt)),
  ];
}

function readStatus(text: string | undefined): AccessKeyStatus {
  if (text === "Active" || text === "Inactive") return text;
  throw constraintError("Status", "Member must satisfy enum value set: [Active, Inactive]");
}

async function changeKey({ database }: Call, id: string, statement: Statement): Promise<void> {
  const [changed] = await database.batch([statement]);
  if (changed?.changes !== 1) throw noSuchKey(id);
}

function noSuchKey(id: string): QueryApiError {
  return new QueryApiError("NoSuchEntity", `The Access Key with id ${id} cannot be found.`);
}
