// English texts of the sign-in page.
export const signIn = {
  "signIn.title": "Sign in to Cairn",
  "signIn.lead": "Use an access key, or temporary credentials. They sign requests in this page and are sent to no one.",
  "signIn.accessKeyId": "Access key id",
  "signIn.secret": "Secret access key",
  "signIn.token": "Session token",
  "signIn.tokenHint": "Only temporary credentials have one.",
  "signIn.remember": "Keep until this tab closes",
  "signIn.rememberHint": "Otherwise a reload signs you out: the secret is only in the memory of this page.",
  "signIn.submit": "Sign in",
  "signIn.busy": "Signing in …",
  "signIn.endpoint": "Endpoint",
  "signIn.insecure":
    "This page needs HTTPS, or an address of this machine such as http://localhost: browsers sign requests only there.",
  "signIn.badLink": "The sign-in link is incomplete. Copy all of it, or sign in with an access key.",
  "signIn.endedLink":
    "The sign-in link has been used, or has ended. Sign in with an access key, or have another link printed.",
  "signIn.expired": "The session has ended. Sign in again; what you had open comes back.",
  "signIn.unreachable": "The server cannot be reached. Your session is kept.",
  "signIn.resume": "Resume the session",
  "signIn.required": "Fill this in.",
} as const;
