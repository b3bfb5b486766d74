// The entrypoint behind Workers Cache: reads a piece of a blob. Only this Worker reaches it, after it has authorised the
// reader; the platform routes no request from outside to a named entrypoint.
import { exports, WorkerEntrypoint } from "cloudflare:workers";
import { settingsOf } from "../config/settings-of.ts";
import { connect } from "../contract/connections.ts";
import { entryLifetime } from "../contract/edge-caches.ts";
import { answerPiece, type CachedEntrypoint } from "../state/blobs/workers-cache.ts";
import { Counts } from "../state/d1/counts.ts";

export class CachedBlob extends WorkerEntrypoint {
  override async fetch(request: Request): Promise<Response> {
    const settings = settingsOf(this.env);
    return answerPiece(request, connect(this.env, settings, new Counts()).blobs, entryLifetime(settings));
  }
}

/** The entrypoint, called through its cache; undefined in a runtime without it. */
export function cachedBlobEntrypoint(): CachedEntrypoint | undefined {
  const entrypoint: unknown = Reflect.get(exports, "CachedBlob");
  return isEntrypoint(entrypoint) ? entrypoint : undefined;
}

function isEntrypoint(value: unknown): value is CachedEntrypoint {
  return (typeof value === "object" || typeof value === "function") && value !== null && "fetch" in value;
}
