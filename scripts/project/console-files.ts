// The folder of the built web console. wrangler.toml names it too.
import { join } from "node:path";
import { PROJECT_ROOT } from "./wrangler-toml.ts";

export const CONSOLE_FILES = join(PROJECT_ROOT, "dist", "console");
