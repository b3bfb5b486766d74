// Splits SQL as D1's `/query` endpoint is reported to do, faults included: a bare `CASE … END` inside a trigger closes
// the trigger's body, lower-case `begin` and `end` are not seen, and a carriage return hides the keyword before it.

/** The statements that D1 makes of a text, without their semicolons. */
export function splitLikeD1(sql: string): string[] {
  const statements: string[] = [];
  let begin = 0;
  let parentheses = 0;
  let isInBody = false;
  for (const { index, text } of tokens(sql)) {
    if (text === "(") parentheses += 1;
    else if (text === ")") parentheses -= 1;
    else if (text === "BEGIN" && sql[index + text.length] !== "\r") isInBody = true;
    else if (text === "END" && parentheses === 0) isInBody = false;
    else if (text === ";" && !isInBody) {
      statements.push(sql.slice(begin, index));
      begin = index + 1;
    }
  }
  statements.push(sql.slice(begin));
  return statements.filter((statement) => tokens(statement).length > 0);
}

/** Words, parentheses and semicolons outside comments, strings and quoted names. */
function tokens(sql: string): { index: number; text: string }[] {
  const pattern = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z_]\w*|[();]|[^\s();]/g;
  return Array.from(sql.matchAll(pattern), ({ index, 0: text }) => ({ index, text })).filter(
    ({ text }) => !text.startsWith("--") && !text.startsWith("/*"),
  );
}
