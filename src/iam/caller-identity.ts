// STS's GetCallerIdentity, which no policy can deny.
import { element } from "../bytes/xml.ts";
import type { Action } from "./action.ts";

export const getCallerIdentity: Action = {
  name: "GetCallerIdentity",
  run: ({ principal }) =>
    Promise.resolve([
      element("Arn", principal.arn),
      element("UserId", principal.userId),
      element("Account", principal.accountId),
    ]),
};
