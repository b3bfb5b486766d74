// The location of coordinators, as the setting LOCATION selects it.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

/** The coordinators, with a record of the options of each call. */
function noted(hints: unknown[]): Env["COORDINATORS"] {
  return new Proxy(env.COORDINATORS, {
    get(target, property) {
      if (property === "getByName") {
        return (name: string, options?: DurableObjectNamespaceGetDurableObjectOptions) => {
          hints.push(options?.locationHint);
          return target.getByName(name, options);
        };
      }
      const value: unknown = Reflect.get(target, property);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

describe("a coordinator", () => {
  it.each([
    [{ LOCATION: "weur" }, "weur"],
    [{ LOCATION: "OC" }, undefined],
    [{}, undefined],
  ])("is called with the location hint of %o", async (settings, expected) => {
    const bucket = await freshBucket();
    const hints: unknown[] = [];
    const scope = { ...settings, COORDINATORS: noted(hints) };
    expect((await send("PUT", `/${bucket}/key`, { body: "x" }, scope)).status).toBe(200);
    expect((await send("DELETE", `/${bucket}/key`, {}, scope)).status).toBe(204);
    expect(hints).toEqual([expected, expected]);
  });
});
