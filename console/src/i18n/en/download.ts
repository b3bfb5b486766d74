// English texts of downloads.
export const download = {
  "download.action": "Download",
  "download.zip": "Download as ZIP",
  "download.tooMany": "A ZIP holds up to {most} objects. Select fewer, or download folders one by one.",
  "download.unnamed.one": "{count} key has control characters, which the list of a ZIP cannot name. It was left out.",
  "download.unnamed.other":
    "{count} keys have control characters, which the list of a ZIP cannot name. They were left out.",
} as const;
