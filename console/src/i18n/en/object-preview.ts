// English texts of the preview of an object.
export const objectPreview = {
  "objectPreview.heading": "Preview",
  "objectPreview.source": "Show the source",
  "objectPreview.empty": "The object is empty.",
  "objectPreview.none": "There is no preview of this kind of file. Download it to see what is in it.",
  "objectPreview.broken": "The browser cannot show this file. Download it to open it elsewhere.",
  "objectPreview.alt": "The content of the object",
  "objectPreview.cut": "The first {size} of {all} are shown.",
  "objectPreview.table": "Rows of the file",
  "objectPreview.rows": "The first {count} rows are shown.",
  "objectPreview.tooBig": "This file is too large for a preview. Download it to read it.",
} as const;
