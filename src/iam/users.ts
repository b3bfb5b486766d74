// IAM's actions on users: CreateUser, GetUser, ListUsers, UpdateUser, DeleteUser.
import { userArn } from "../auth/identity/identity-arns.ts";
import { newId } from "../auth/identity/new-credentials.ts";
import { formatIsoSeconds } from "../bytes/dates.ts";
import { successorOfPrefix } from "../bytes/text.ts";
import { element, type XmlElement } from "../bytes/xml.ts";
import { checkTagCount, NEW_USER_NAME, PATH, PATH_PREFIX, readTags } from "../protocol/iam/identity-parameters.ts";
import { QueryApiError } from "../protocol/iam/query-api-error.ts";
import { memberList } from "../protocol/iam/query-api-xml.ts";
import { deleteUser, insertUser, listUsers, renameUser, type User } from "../state/identities/users.ts";
import {
  defineAction,
  defineUserAction,
  requirePermission,
  resourceTagKeys,
  type Action,
  type Call,
} from "./action.ts";
import { pageElements, readPage } from "./paging.ts";
import { tagConditionKeys, tagsElement } from "./user-tags.ts";

/**
 * How many users a page of ListUsers examines. As in AWS, a page may contain fewer than MaxItems although more follow.
 */
const PAGE_MAX_EXAMINED = 5000;

function newUserArn({ parameters, settings }: Call): string {
  const path = parameters.optionalText("Path", PATH) ?? "/";
  return userArn(settings.accountId, path, parameters.text("UserName", NEW_USER_NAME));
}

const createUser = defineAction("iam", {
  name: "CreateUser",
  resource: newUserArn,
  conditionKeys: tagConditionKeys,

  async run(call) {
    const { parameters, database, now } = call;
    parameters.refuse(["PermissionsBoundary"], "permissions boundaries are not supported.");
    const tags = readTags(parameters);
    if (tags.length > 0) requirePermission(call, "iam:TagUser", newUserArn(call), tagConditionKeys(parameters));
    checkTagCount(tags.length);
    const user: User = {
      id: newId("user"),
      name: parameters.text("UserName", NEW_USER_NAME),
      path: parameters.optionalText("Path", PATH) ?? "/",
      createdAt: now,
      tags,
    };
    const [inserted] = await database.batch([insertUser(user)]);
    // D1 counts the rows of triggers too.
    if (inserted === undefined || inserted.changes === 0) throw alreadyExists(user.name);
    return [element("User", userElements(call, user))];
  },
});

const getUser = defineUserAction({
  name: "GetUser",
  isCallerByDefault: true,
  run: (call, user) => Promise.resolve([element("User", userElements(call, user))]),
});

/** Root gets itself by omitting UserName. */
const getUserOrRoot: Action = {
  name: getUser.name,
  async run(call) {
    const { parameters, principal, settings } = call;
    if (principal.kind !== "root" || parameters.get("UserName") !== undefined) return getUser.run(call);
    requirePermission(call, "iam:GetUser", principal.ownerArn);
    return [
      element("User", [
        element("UserId", settings.accountId),
        element("Arn", principal.ownerArn),
        // Root has no creation date.
        element("CreateDate", formatIsoSeconds(0)),
      ]),
    ];
  },
};

const listUsersAction = defineAction("iam", {
  name: "ListUsers",
  resource: ({ parameters, settings }) =>
    userArn(settings.accountId, parameters.optionalText("PathPrefix", PATH_PREFIX) ?? "/", ""),

  async run(call) {
    const { parameters, database } = call;
    const pathPrefix = parameters.optionalText("PathPrefix", PATH_PREFIX) ?? "/";
    const listing = ["users", pathPrefix];
    const { after, limit } = await readPage(parameters, listing);
    const before = successorOfPrefix(pathPrefix) ?? "";
    const page = { pathPrefix, before, after: after ?? "", limit, maxExamined: PAGE_MAX_EXAMINED };
    const { users, last } = await database.look(listUsers(page));
    return [
      memberList(
        "Users",
        // As in AWS, the list contains no tags.
        users.map((user) => userElements(call, { ...user, tags: [] })),
      ),
      ...(await pageElements(last, listing)),
    ];
  },
});

const updateUser = defineUserAction({
  name: "UpdateUser",
  isCallerByDefault: false,

  async run(call, user) {
    const { parameters, database, settings } = call;
    const { id, name, path } = user;
    const newName = parameters.optionalText("NewUserName", NEW_USER_NAME) ?? name;
    const askedPath = parameters.optionalText("NewPath", PATH);
    const newPath = askedPath ?? path;
    // The caller needs the permission for the new name and path too, or it could move a user out of its own reach.
    const resource = userArn(settings.accountId, newPath, newName);
    const shown = userArn(settings.accountId, askedPath ?? "/", newName);
    requirePermission(call, "iam:UpdateUser", resource, resourceTagKeys(user), shown);
    const [renamed] = await database.batch([renameUser(id, newName, newPath)]);
    if (renamed?.changes !== 1) throw alreadyExists(newName);
    return undefined;
  },
});

const deleteUserAction = defineUserAction({
  name: "DeleteUser",
  isCallerByDefault: false,

  async run({ database }, { id }) {
    const { isDeleted, hasAccessKeys, hasPolicies } = await database.look(deleteUser(id));
    if (!isDeleted && (hasAccessKeys || hasPolicies)) {
      const first = hasAccessKeys ? "access keys" : "policies";
      throw new QueryApiError("DeleteConflict", `Cannot delete entity, must delete ${first} first.`);
    }
    return undefined;
  },
});

export const USER_ACTIONS: readonly Action[] = [
  createUser,
  getUserOrRoot,
  listUsersAction,
  updateUser,
  deleteUserAction,
];

function userElements({ settings }: Call, { id, name, path, createdAt, tags }: User): (XmlElement | undefined)[] {
  return [
    element("Path", path),
    element("UserName", name),
    element("UserId", id),
    element("Arn", userArn(settings.accountId, path, name)),
    element("CreateDate", formatIsoSeconds(createdAt)),
    tags.length === 0 ? undefined : tagsElement(tags),
  ];
}

function alreadyExists(name: string): QueryApiError {
  return new QueryApiError("EntityAlreadyExists", `User with name ${name} already exists.`);
}
