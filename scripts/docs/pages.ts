// The generated files and their generators. Pure, so that the house test can compare them.
import { SETTINGS } from "../../src/config/settings.ts";
import { OPERATIONS } from "../../src/gateway/operation-table.ts";
import { withFreshFloors } from "./floors.ts";
import { withFreshInputs } from "./inputs.ts";
import { picture } from "./picture.ts";
import { withFreshOperations, withFreshSettings } from "./tables.ts";

/** Returns a file's fresh text, given its present one. */
export type Refresh = (text: string) => string;

/** The generated files by path. */
export const PAGES: Readonly<Record<string, Refresh>> = {
  "docs/operations.md": (text) => withFreshInputs(withFreshOperations(text, OPERATIONS), OPERATIONS),
  "docs/settings.md": (text) => withFreshSettings(text, SETTINGS),
  "docs/architecture.md": withFreshFloors,
  "docs/how-it-works.svg": picture,
};
