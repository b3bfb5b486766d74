// The settings of the web console (docs/console.md).
import { FORMS, type Setting } from "./setting-checks.ts";

export const CONSOLE_SETTINGS = {
  CONSOLE: {
    default: "true",
    values: ["true", "false"],
    meaning: "Whether the web console is served at `/_/console/` (docs/console.md).",
  },
  CONSOLE_HOST: {
    default: "",
    form: FORMS.hostName,
    meaning:
      "Host name of the console (docs/console.md), such as `console.example.com`: browsers that open `/` there get the console. Path-style requests work there, too.",
  },
} as const satisfies Record<string, Setting>;
