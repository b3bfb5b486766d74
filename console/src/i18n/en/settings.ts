// English texts of a bucket's settings.
export const settings = {
  "settings.versioning": "Versioning",
  "versioning.Enabled":
    "Versions are on. Overwriting or deleting an object keeps what was there, and it can be restored.",
  "versioning.Suspended":
    "Versions are suspended. Earlier versions stay; new writes replace the newest one that has no version id.",
  "versioning.off": "Versions are off. Overwriting or deleting an object removes what was there.",
  "versioning.turnOn": "Turn versions on",
  "versioning.suspend": "Suspend versions",
  "versioning.turnedOn": "Versions are on.",
  "versioning.suspended": "Versions are suspended.",
} as const;
