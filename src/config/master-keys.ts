// The master keys of this deployment.
import { KeyRing } from "../auth/identity/key-ring.ts";
import type { Settings } from "./settings.ts";

/** The key ring of the configured master keys; undefined if there are none. */
export async function loadKeyRing({ masterKeys: [current, ...previous] }: Settings): Promise<KeyRing | undefined> {
  return current === undefined ? undefined : KeyRing.of([current, ...previous]);
}
