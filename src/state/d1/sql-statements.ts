// Splits a migration into statements. A trigger body contains semicolons, and a CASE inside it has its own END.

const TOKEN = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|[A-Za-z_]\w*|\S/g;

/** Returns the statements of an SQL text without their terminating semicolons. */
export function sqlStatements(sql: string): string[] {
  const statements: string[] = [];
  let begin: number | undefined;
  let end = 0;
  let words: string[] = [];
  let depth = 0;
  for (const { index, 0: token } of sql.matchAll(TOKEN)) {
    if (token.startsWith("--") || token.startsWith("/*")) continue;
    if (token === ";" && depth === 0) {
      if (begin !== undefined) statements.push(sql.slice(begin, end));
      begin = undefined;
      words = [];
      continue;
    }
    begin ??= index;
    end = index + token.length;
    const word = token.toUpperCase();
    if (words.length < 3) words.push(word);
    // BEGIN opens a block only inside a trigger. Migrations contain no transactions of their own.
    const isTrigger = words[0] === "CREATE" && words.includes("TRIGGER");
    if (word === "CASE" || (word === "BEGIN" && isTrigger)) depth += 1;
    else if (word === "END" && depth > 0) depth -= 1;
  }
  if (begin !== undefined) statements.push(sql.slice(begin, end));
  return statements;
}
