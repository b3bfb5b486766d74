// The length of statement parameters: D1 limits them to 2 MB, which the local simulator does not enforce.
import { env } from "cloudflare:workers";

import { utf8 } from "./digests.ts";

/** The maximum size of a parameter in bytes. */
export const PARAMETER_MAX_BYTES = 2_000_000;

/** D1 that records the length of the longest parameter in bytes. */
export function measuredD1(): { readonly DB: D1Database; readonly longest: () => number } {
  let longest = 0;
  const prepare = (sql: string): D1PreparedStatement =>
    new Proxy(env.DB.prepare(sql), {
      get: (prepared, property) => {
        if (property !== "bind") return Reflect.get(prepared, property) as unknown;
        return (...parameters: unknown[]) => {
          for (const one of parameters) if (typeof one === "string") longest = Math.max(longest, utf8(one).length);
          return prepared.bind(...parameters);
        };
      },
    });
  const DB = new Proxy(env.DB, {
    get(target, property) {
      if (property === "prepare") return prepare;
      const value: unknown = Reflect.get(target, property);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  return { DB, longest: () => longest };
}
