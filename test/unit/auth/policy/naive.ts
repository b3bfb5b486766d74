// A second, slow implementation of policies, written from the rules alone and without the first one's code. It takes
// policies as plain objects.

export interface WrittenStatement {
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: "*" | { readonly AWS: readonly string[] };
  readonly NotPrincipal?: { readonly AWS: readonly string[] };
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource?: readonly string[];
  readonly NotResource?: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

export interface Request {
  readonly account: string;
  /** The ARNs of the caller; empty for anonymous callers. */
  readonly arns: readonly string[];
  readonly isRoot: boolean;
  readonly action: string;
  readonly resource: string;
  /** By name in lower case. */
  readonly context: Readonly<Record<string, readonly string[]>>;
}

/** Whether a statement of a policy of version 2012-10-17 applies to a request. */
export function naivelyApplies(statement: WrittenStatement, request: Request): boolean {
  const { Principal, NotPrincipal, Action, NotAction, Resource, NotResource, Condition } = statement;
  if (Principal !== undefined && !isOneOf(Principal, request)) return false;
  if (NotPrincipal !== undefined && isExcepted(NotPrincipal.AWS, statement.Effect, request)) return false;
  const isAction = (pattern: string): boolean => like(letters(pattern.toLowerCase()), request.action.toLowerCase());
  if (Action !== undefined && !Action.some(isAction)) return false;
  if (NotAction !== undefined && NotAction.some(isAction)) return false;
  const isAllow = statement.Effect === "Allow";
  // An Allow with NotPrincipal does not apply to anonymous callers.
  if (isAllow && NotResource?.some((pattern) => expand(pattern, request, true) === null) === true) return false;
  const isResource = (pattern: string): boolean => {
    const whole = expand(pattern, request, true);
    // A name without a known owner in a Deny can be any name.
    const expanded = whole ?? (isAllow || Resource === undefined ? null : expand(pattern, request, true, true));
    return expanded !== null && like(expanded, request.resource);
  };
  if (Resource !== undefined && !Resource.some(isResource)) return false;
  if (NotResource !== undefined && NotResource.some(isResource)) return false;
  for (const [operator, keys] of Object.entries(Condition ?? {})) {
    for (const [key, values] of Object.entries(keys)) {
      // The keys of tags are case-insensitive.
      const fold = key.toLowerCase() === "aws:tagkeys" ? (text: string) => text.toLowerCase() : (text: string) => text;
      const actual = (request.context[key.toLowerCase()] ?? []).map(fold);
      if (!conditionHolds(operator, values.map(fold), actual, request, isAllow)) return false;
    }
  }
  return true;
}

function isOneOf(principal: "*" | { readonly AWS: readonly string[] }, request: Request): boolean {
  if (principal === "*") return true;
  return principal.AWS.some((name) => {
    if (name === "*") return true;
    if (request.arns.length === 0) return false;
    if (name === request.account || name === `arn:aws:iam::${request.account}:root`) return true;
    return request.arns.includes(name);
  });
}

function isExcepted(names: readonly string[], effect: "Allow" | "Deny", request: Request): boolean {
  if (request.arns.length === 0) return false;
  const isAccount = names.includes(request.account) || names.includes(`arn:aws:iam::${request.account}:root`);
  if (isAccount && (effect === "Allow" || request.isRoot)) return true;
  return names.some((name) => request.arns.includes(name));
}

/** A character to match, or a wildcard. */
type Letter = { readonly exactly: string } | "any" | "one";

function letters(pattern: string): Letter[] {
  return Array.from(pattern, (character) =>
    character === "*" ? "any" : character === "?" ? "one" : { exactly: character },
  );
}

/** The characters of a text with its variables substituted, or null when one has no value. */
function expand(text: string, request: Request, hasWildcards: boolean, isAny = false): Letter[] | null {
  const result: Letter[] = [];
  const verbatim = (part: string): void => {
    for (const character of part) result.push({ exactly: character });
  };
  let rest = text;
  while (rest !== "") {
    const variable = /^\$\{([^}]*)\}/.exec(rest);
    if (variable === null) {
      const [character = ""] = rest;
      if (hasWildcards) result.push(...letters(character));
      else verbatim(character);
      rest = rest.slice(character.length);
      continue;
    }
    const [whole, inner = ""] = variable;
    rest = rest.slice(whole.length);
    if (["*", "?", "$"].includes(inner)) {
      verbatim(inner);
      continue;
    }
    const comma = inner.indexOf(",");
    const name = (comma < 0 ? inner : inner.slice(0, comma)).trim().toLowerCase();
    const found = request.context[name] ?? [];
    const [value] = found.length > 1 ? [] : found;
    if (value !== undefined) verbatim(value);
    else if (found.length > 1 && !isAny) return null;
    else if (found.length > 1) result.push("any");
    else if (comma >= 0) verbatim(inner.slice(inner.indexOf("'") + 1, inner.lastIndexOf("'")));
    else if (isAny) result.push("any");
    else return null;
  }
  return result;
}

/** Whether characters match a text, computed for all prefixes of both. */
function like(pattern: readonly Letter[], text: string): boolean {
  const characters = Array.from(text);
  let fits = characters.map(() => false);
  fits = [true, ...fits];
  for (const letter of pattern) {
    const next = [letter === "any" && fits[0] === true];
    for (const [index, character] of characters.entries()) {
      const before = fits[index] === true;
      if (letter === "any") next.push(next[index] === true || fits[index + 1] === true);
      else next.push(before && (letter === "one" || letter.exactly === character));
    }
    fits = next;
  }
  return fits.at(-1) === true;
}

function conditionHolds(
  operator: string,
  values: readonly string[],
  actual: readonly string[],
  request: Request,
  isAllow: boolean,
): boolean {
  if (operator === "Null") return values.some((value) => value === (actual.length === 0 ? "true" : "false"));
  const qualifier = operator.startsWith("ForA") ? operator.split(":")[0] : undefined;
  const isIfExists = operator.endsWith("IfExists");
  const base = (operator.split(":").at(-1) ?? "").replace(/IfExists$/, "");
  const isNegated = base.includes("Not");
  if (isAllow && base.startsWith("String")) {
    const unknown = values.filter((value) => expand(value, request, true) === null).length;
    if (unknown === values.length || (isNegated && unknown > 0)) return false;
  }
  if (actual.length === 0) {
    if (isIfExists || qualifier === "ForAllValues") return true;
    return qualifier === "ForAnyValue" ? false : isNegated;
  }
  const positive = base.replace("Not", "");
  const anyValue = (item: string): boolean =>
    values.some((value) => compare(positive, value, item, request, !isAllow && !isNegated));
  switch (qualifier) {
    case "ForAllValues":
      return actual.every((item) => anyValue(item) !== isNegated);
    case "ForAnyValue":
      return actual.some((item) => anyValue(item) !== isNegated);
    default:
      return actual.some(anyValue) !== isNegated;
  }
}

function compare(operator: string, value: string, actual: string, request: Request, isAny: boolean): boolean {
  if (operator.startsWith("String") && isAny && expand(value, request, true) === null) {
    if (operator === "StringEqualsIgnoreCase") return true;
    return like(expand(value, request, operator === "StringLike", true) ?? [], actual);
  }
  const spelled = expand(value, request, false)
    ?.map((letter) => (typeof letter === "string" ? "" : letter.exactly))
    .join("");
  switch (operator) {
    case "StringEquals":
      return spelled === actual;
    case "StringEqualsIgnoreCase":
      return spelled?.toUpperCase() === actual.toUpperCase();
    case "StringLike": {
      const pattern = expand(value, request, true);
      return pattern !== null && like(pattern, actual);
    }
    case "NumericEquals":
      return Number.parseFloat(actual) === Number.parseFloat(value);
    case "NumericLessThan":
      return Number.parseFloat(actual) < Number.parseFloat(value);
    case "NumericGreaterThanEquals":
      return Number.parseFloat(actual) >= Number.parseFloat(value);
    case "DateLessThan":
      return Date.parse(actual) < Date.parse(value);
    case "DateGreaterThan":
      return Date.parse(actual) > Date.parse(value);
    case "Bool":
      return actual.toLowerCase() === value.toLowerCase();
    case "IpAddress":
      return isWithin(value, actual);
    default:
      throw new Error(`no operator ${operator}`);
  }
}

/** Whether an IPv4 address is in a range, compared by bits. */
function isWithin(range: string, actual: string): boolean {
  const bits = (address: string): string =>
    address
      .split(".")
      .map((octet) => Number(octet).toString(2).padStart(8, "0"))
      .join("");
  const [address = "", prefix = "32"] = range.split("/");
  return bits(actual).startsWith(bits(address).slice(0, Number(prefix)));
}
