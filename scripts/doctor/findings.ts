// The findings of an examination of an endpoint: the result of each check, and what to do about it.

/** `bad`: requests fail or data is at risk. `warning`: something will, or may. `skipped`: it could not be looked at. */
export type Level = "good" | "warning" | "bad" | "skipped";

export interface Finding {
  /** A short, stable name of the check. */
  readonly check: string;
  readonly level: Level;
  readonly found: string;
  /** What to do; undefined where all is well. */
  readonly remedy?: string;
}

export function good(check: string, found: string): Finding {
  return { check, level: "good", found };
}

export function warning(check: string, found: string, remedy: string): Finding {
  return { check, level: "warning", found, remedy };
}

export function bad(check: string, found: string, remedy: string): Finding {
  return { check, level: "bad", found, remedy };
}

export function skipped(check: string, found: string): Finding {
  return { check, level: "skipped", found };
}

/** The report, line by line. */
export function reportLines(findings: readonly Finding[]): string[] {
  const lines = findings.flatMap(({ check, level, found, remedy }) => [
    `${level.padEnd(8)} ${check}: ${found}`,
    ...(remedy === undefined ? [] : [`         ${remedy}`]),
  ]);
  const count = (level: Level): number => findings.filter((finding) => finding.level === level).length;
  return [...lines, `doctor: ${count("bad")} bad, ${count("warning")} warnings, ${count("skipped")} skipped`];
}
