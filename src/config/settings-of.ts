// The settings of an environment, parsed once: the runtime passes the same environment to every request of an isolate.
import { readSettings, type Settings } from "./settings.ts";

const READ = new WeakMap<object, Settings>();

export function settingsOf(env: object): Settings {
  const known = READ.get(env);
  if (known !== undefined) return known;
  const settings = readSettings(env);
  READ.set(env, settings);
  return settings;
}
