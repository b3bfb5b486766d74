// Decides which keys a bucket policy lets everyone read. A grant that depends on more than the key, such as the reader's
// address or the object's tags, does not count: an offered address must work for everyone.

/** The action of a reader who has only an address. */
const ACTION = Array.from("s3:getobject");

interface Rule {
  readonly allows: boolean;
  readonly covers: (arn: readonly string[]) => boolean;
  /** Whether it applies to every key of the bucket. */
  readonly isForAll: boolean;
}

/**
 * Reads a policy, which may be any text.
 * @param isSecure whether the addresses are of HTTPS
 * @returns undefined if everyone may read no key of the bucket
 */
export function publiclyReadable(
  policy: string,
  bucket: string,
  isSecure: boolean,
): ((key: string) => boolean) | undefined {
  const rules = statementsOf(policy).flatMap((statement) => ruleOf(statement, bucket, isSecure) ?? []);
  const [allowing, denying] = [rules.filter(({ allows }) => allows), rules.filter(({ allows }) => !allows)];
  if (allowing.length === 0 || denying.some(({ isForAll }) => isForAll)) return undefined;
  return (key) => {
    const arn = Array.from(`arn:aws:s3:::${bucket}/${key}`);
    return allowing.some(({ covers }) => covers(arn)) && !denying.some(({ covers }) => covers(arn));
  };
}

function statementsOf(policy: string): readonly unknown[] {
  try {
    return listOf(member(JSON.parse(policy), "Statement"));
  } catch {
    return [];
  }
}

/** Undefined for a statement that does not apply to readers without credentials. */
function ruleOf(statement: unknown, bucket: string, isSecure: boolean): Rule | undefined {
  const allows = member(statement, "Effect") === "Allow";
  const condition = member(statement, "Condition");
  if (allows ? !isUnconditional(condition) : isSecure && isAboutPlainHttp(condition)) return undefined;
  // Readers without credentials have no name, so a Deny's exceptions never apply to them.
  const isExcepting = !allows && member(statement, "NotPrincipal") !== undefined;
  if (!isExcepting && !isEveryone(member(statement, "Principal"))) return undefined;
  const actions = patternsOf(statement, "Action", allows);
  const resources = patternsOf(statement, "Resource", allows);
  if (actions === undefined || resources === undefined || !actions(ACTION)) return undefined;
  const isForAll = listOf(member(statement, "Resource")).includes(`arn:aws:s3:::${bucket}/*`);
  return { allows, covers: resources, isForAll };
}

function isEveryone(principal: unknown): boolean {
  return principal === "*" || listOf(member(principal, "AWS")).includes("*");
}

function isUnconditional(condition: unknown): boolean {
  return condition === undefined || Object.keys(Object(condition)).length === 0;
}

/** Whether a condition holds for plain HTTP only: the usual Deny of insecure requests. */
function isAboutPlainHttp(condition: unknown): boolean {
  const [operator, ...others] = Object.entries(Object(condition));
  if (operator === undefined || others.length > 0 || operator[0] !== "Bool") return false;
  const [key, ...moreKeys] = Object.entries(Object(operator[1]));
  if (key === undefined || moreKeys.length > 0 || key[0].toLowerCase() !== "aws:securetransport") return false;
  return listOf(key[1]).every((value) => String(value) === "false");
}

/**
 * A test of the element, or of its negation.
 * @returns undefined for an Allow that depends on a variable
 */
function patternsOf(
  statement: unknown,
  name: "Action" | "Resource",
  allows: boolean,
): ((text: readonly string[]) => boolean) | undefined {
  const negated = member(statement, `Not${name}`);
  const written = listOf(negated ?? member(statement, name)).map(String);
  // A variable has another value for each reader.
  const isVariable = written.some((pattern) => pattern.includes("${"));
  if (isVariable) return allows ? undefined : () => true;
  const patterns = written.map((pattern) => Array.from(name === "Action" ? pattern.toLowerCase() : pattern));
  return (text) => patterns.some((pattern) => matches(pattern, text)) === (negated === undefined);
}

/** Whether a pattern with `*` and `?` matches a text, both as characters. Its time is at most their product. */
function matches(pattern: readonly string[], text: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let resumeAt = 0;
  for (let position = 0; position < text.length;) {
    const wanted = pattern[at];
    if (wanted === "*") {
      star = at;
      resumeAt = position;
      at += 1;
    } else if (wanted !== undefined && (wanted === "?" || wanted === text[position])) {
      at += 1;
      position += 1;
    } else if (star >= 0) {
      resumeAt += 1;
      position = resumeAt;
      at = star + 1;
    } else return false;
  }
  return pattern.slice(at).every((wanted) => wanted === "*");
}

function member(value: unknown, name: string): unknown {
  return Reflect.get(Object(value), name);
}

function listOf(value: unknown): readonly unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}
