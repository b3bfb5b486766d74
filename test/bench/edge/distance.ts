// Bindings as if D1 and R2 were some milliseconds away: each call waits for a round trip. Counts the calls, and answers
// requests for the counts. It wraps bindings instead of relaying TCP, because the simulators' own connections are not part of
// what is compared.

/** The request header with the round trip to D1 and R2 in milliseconds. */
export const DISTANCE_HEADER = "x-bench-distance";
/** The request header that asks for the counts since the last request for them. */
export const COUNTS_HEADER = "x-bench-counts";

/** Calls since the last request for them. */
export interface Calls {
  readonly d1: number;
  readonly r2: number;
}

interface Storage {
  readonly DB: object;
  readonly BLOBS: object;
}
interface BenchRequest {
  readonly headers: { get(name: string): string | null };
}

let d1 = 0;
let r2 = 0;

/** The environments by distance: a binding stays the same object, as on the platform. */
const DISTANT = new Map<number, object>();

/** Answers a request for the counts, or passes the request on with the bindings at its distance. */
export function answerFrom<Bindings extends Storage>(
  request: BenchRequest,
  env: Bindings,
  answer: (distant: Bindings) => Promise<Response>,
): Promise<Response> {
  if (request.headers.get(COUNTS_HEADER) === null) {
    return answer(distantBindings(env, Number(request.headers.get(DISTANCE_HEADER) ?? 0)));
  }
  const calls: Calls = { d1, r2 };
  d1 = 0;
  r2 = 0;
  return Promise.resolve(new Response(JSON.stringify(calls)));
}

function distantBindings<Bindings extends Storage>(env: Bindings, roundTripMs: number): Bindings {
  // The key is the distance, and a Worker has one environment.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const known = DISTANT.get(roundTripMs) as Bindings | undefined;
  if (known !== undefined) return known;
  const travel = (): Promise<void> =>
    new Promise((resolve) => {
      if (roundTripMs === 0) resolve();
      else setTimeout(resolve, roundTripMs);
    });
  const distant: Bindings = {
    ...env,
    DB: withCalls(env.DB, ["batch"], async () => {
      d1 += 1;
      return travel();
    }),
    BLOBS: withCalls(env.BLOBS, ["get", "head", "put"], async () => {
      r2 += 1;
      return travel();
    }),
  };
  DISTANT.set(roundTripMs, distant);
  return distant;
}

/** A binding some of whose methods wait before they are called. */
function withCalls<Binding extends object>(
  binding: Binding,
  methods: readonly string[],
  before: () => Promise<void>,
): Binding {
  return new Proxy(binding, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (typeof name !== "string" || !methods.includes(name)) return value.bind(target) as unknown;
      return async (...given: readonly unknown[]): Promise<unknown> => {
        await before();
        return Reflect.apply(value, target, given) as unknown;
      };
    },
  });
}
