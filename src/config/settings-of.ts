// The settings of an environment, read once for each: the runtime gives every request of an isolate the same environment.
import { readSettings, type Settings } from "./settings.ts";

const READ = new WeakMap<object, Settings>();

export function settingsOf(env: object): Settings {
  const known = READ.get(env);
  if (known !== undefined) return known;
  const settings = readSettings(env);
  READ.set(env, settings);
  return settings;
}
