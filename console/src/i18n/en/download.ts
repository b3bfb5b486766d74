// English texts of downloads.
export const download = {
  "download.action": "Download",
  "download.zip": "Download as ZIP",
  "download.parts.one":
    "{count} object is more than one ZIP takes. It comes as {parts} or more ZIPs, one after another.",
  "download.parts.other":
    "{count} objects are more than one ZIP takes. They come as {parts} or more ZIPs, one after another; the browser may ask whether it shall save several files.",
  "download.start": "Download them",
  "download.partBegins.one": "ZIP {number} begins, with {count} object.",
  "download.partBegins.other": "ZIP {number} begins, with {count} objects.",
  "download.unnamed.one": "{count} key has control characters, which the list of a ZIP cannot name. It was left out.",
  "download.unnamed.other":
    "{count} keys have control characters, which the list of a ZIP cannot name. They were left out.",
} as const;
