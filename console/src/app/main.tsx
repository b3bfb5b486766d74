// The entry of the console: applies preferences, resumes the session, and shows the page.
import { render } from "preact";
import { guardJobs, recallUnfinished } from "../data/background-jobs.ts";
import { applyPreferences } from "../data/preferences.ts";
import { watchAddress } from "../data/router.ts";
import { resumeSession, watchLinks } from "../data/session.ts";
import "../styles/tokens.css";
import "../styles/base.css";
import "../styles/layout.css";
import "../styles/components.css";
import { warnBeforeEnd } from "../data/session-end.ts";
import { followSession, guardUploads } from "../data/uploads.ts";
import { App } from "./app.tsx";

// First, because a sign-in link has credentials in the address.
const resumed = resumeSession();
await Promise.all([applyPreferences(), resumed]);
// Before the address is followed, for the same reason.
watchLinks();
watchAddress();
recallUnfinished();
guardJobs();
followSession();
guardUploads();
warnBeforeEnd();
const root = document.getElementById("app");
if (root !== null) render(<App />, root);
