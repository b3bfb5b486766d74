// Splits a migration into its statements. A trigger's body holds semicolons, and a CASE in it an END of its own.

const TOKEN = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|[A-Za-z_]\w*|\S/g;

/** The statements of a text of SQL, without the semicolons that end them. */
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
    // BEGIN opens a block in a trigger alone; elsewhere it begins a transaction, which migrations do not.
    const isTrigger = words[0] === "CREATE" && words.includes("TRIGGER");
    if (word === "CASE" || (word === "BEGIN" && isTrigger)) depth += 1;
    else if (word === "END" && depth > 0) depth -= 1;
  }
  if (begin !== undefined) statements.push(sql.slice(begin, end));
  return statements;
}
