// What `npm run bench` measures, and how many samples each case takes.
import { randomBytes } from "node:crypto";
import { type Payload, type PreparedRequest, bareRequest, signedRequest } from "./signer.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

export interface Case {
  readonly title: string;
  readonly method: "GET" | "PUT";
  readonly size: number;
  readonly payload: Payload;
  readonly samples: number;
}

/** The cases, with so few samples when `quick` that they show no more than that everything works. */
export function cases(quick: boolean): readonly Case[] {
  const small = quick ? 40 : 400;
  const middle = quick ? 10 : 100;
  const large = quick ? 3 : 11;
  return [
    { title: "GET 1 KiB", method: "GET", size: KiB, payload: "unsigned", samples: small },
    { title: "GET 1 MiB", method: "GET", size: MiB, payload: "unsigned", samples: middle },
    { title: "GET 64 MiB", method: "GET", size: 64 * MiB, payload: "unsigned", samples: large },
    { title: "PUT 1 KiB", method: "PUT", size: KiB, payload: "unsigned", samples: small },
    { title: "PUT 1 KiB, SHA-256 signed", method: "PUT", size: KiB, payload: "sha256", samples: small },
    { title: "PUT 1 MiB", method: "PUT", size: MiB, payload: "unsigned", samples: middle },
    { title: "PUT 64 MiB", method: "PUT", size: 64 * MiB, payload: "unsigned", samples: large },
  ];
}

/** The requests of one case for the two sides, made before the clock runs; the first of each only warms up. */
export interface PreparedCase {
  readonly cairn: readonly PreparedRequest[];
  readonly bare: readonly PreparedRequest[];
}

/** Prepares a case: every PUT has a key of its own, every GET reads one object that `setUp` stores first. */
export async function prepare(
  { method, size, payload, samples }: Case,
  cairnUrl: string,
  bareUrl: string,
  setUp: (request: PreparedRequest) => Promise<unknown>,
): Promise<PreparedCase> {
  const body = randomBytes(size);
  const run = randomBytes(4).toString("hex");
  const cairn: PreparedRequest[] = [];
  const bare: PreparedRequest[] = [];
  if (method === "GET") {
    await setUp(await signedRequest("PUT", `${cairnUrl}/bench/${run}`, body));
    await setUp(bareRequest("PUT", `${bareUrl}/bench/${run}`, body));
  }
  for (let sample = 0; sample <= samples; sample++) {
    const key = method === "GET" ? run : `${run}-${sample}`;
    const sent = method === "GET" ? undefined : body;
    cairn.push(await signedRequest(method, `${cairnUrl}/bench/${key}`, sent, payload));
    bare.push(bareRequest(method, `${bareUrl}/bench/${key}`, sent));
  }
  return { cairn, bare };
}
