// The properties that every screen receives.
export interface ScreenProps {
  /** The named steps of the place: `bucket` of `buckets/:bucket/settings`. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

/** A named step, which the route guarantees. @throws Error for a name that the route does not have */
export function paramOf({ params }: ScreenProps, name: string): string {
  const value = params[name];
  if (value === undefined) throw new Error(`the route has no step ${name}`);
  return value;
}
