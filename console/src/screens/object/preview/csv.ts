// Reads comma-separated values (RFC 4180): fields in quotes may contain separators, line ends and doubled quotes.

/** The first rows of a text. Without a separator, the most frequent of the first line counts. */
export function rowsOfCsv(text: string, separator: string | undefined, most: number): string[][] {
  const content = text.replace(/^\uFEFF/, "");
  const by = separator ?? likelySeparator(content);
  const rows: string[][] = [];
  let row: string[] = [];
  let field = "";
  let isQuoted = false;
  const endRow = (): void => {
    rows.push([...row, field]);
    row = [];
    field = "";
  };
  for (let at = 0; at < content.length && rows.length < most; at += 1) {
    const character = content[at] ?? "";
    if (isQuoted) {
      if (character !== '"') field += character;
      else if (content[at + 1] === '"') {
        field += '"';
        at += 1;
      } else isQuoted = false;
    } else if (character === '"' && field === "") isQuoted = true;
    else if (character === by) {
      row.push(field);
      field = "";
    } else if (character === "\n") endRow();
    else if (character !== "\r" || content[at + 1] !== "\n") field += character;
  }
  if (rows.length < most && (field !== "" || row.length > 0)) endRow();
  return rows;
}

function likelySeparator(text: string): string {
  const [line = ""] = text.split("\n", 1);
  const counts = [",", ";", "\t", "|"].map((sign) => [sign, line.split(sign).length] as const);
  return counts.reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}
