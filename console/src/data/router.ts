// The current place, in the fragment of the address: `#/buckets/photos?prefix=a%2Fb`. Browsers do not send fragments, so
// names of buckets and keys stay out of logs.
import { signal } from "@preact/signals";

export interface Place {
  /** Decoded steps: `buckets`, `photos`. */
  readonly steps: readonly string[];
  readonly query: Readonly<Record<string, string>>;
}

export type PlaceQuery = Readonly<Record<string, string | undefined>>;

const current = signal<Place>(parsePlace(location.hash));

/** The current place, as a signal. */
export function currentPlace(): Place {
  return current.value;
}

/** Follows the address, beginning with its current value. */
export function watchAddress(): void {
  current.value = parsePlace(location.hash);
  addEventListener("hashchange", () => {
    current.value = parsePlace(location.hash);
  });
}

/** The address of a place. Steps are encoded here; an undefined parameter is left out. */
export function hrefOf(steps: readonly string[], query: PlaceQuery = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const parameters = given.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  const path = steps.map(encodeURIComponent).join("/");
  return `#/${path}${parameters.length === 0 ? "" : `?${parameters.join("&")}`}`;
}

/** Shows a place; `replace` leaves no entry in the history. */
export function navigate(steps: readonly string[], query: PlaceQuery = {}, { replace = false } = {}): void {
  const href = hrefOf(steps, query);
  if (href === location.hash) return;
  if (replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  current.value = parsePlace(href);
}

/** Parses a fragment. A malformed one becomes a place that does not exist. */
function parsePlace(hash: string): Place {
  const [path, parameters] = split(hash.replace(/^#?\/?/, ""));
  try {
    return {
      steps: path.split("/").filter(Boolean).map(decodeURIComponent),
      query: Object.fromEntries(
        parameters
          .split("&")
          .filter(Boolean)
          .map((part) => {
            const [name = "", ...value] = part.split("=");
            return [decodeURIComponent(name), decodeURIComponent(value.join("="))];
          }),
      ),
    };
  } catch {
    return { steps: ["not-found"], query: {} };
  }
}

function split(text: string): [string, string] {
  const at = text.indexOf("?");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
