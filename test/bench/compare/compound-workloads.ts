// Workloads whose operations depend on responses: multipart uploads, contended conditional PUTs, and a mixture.
import { checked } from "./target.ts";
import { ensureObject, type Operation, type Round, single, type Workload } from "./round.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const PARTS = [Buffer.alloc(5 * MiB, "x"), Buffer.alloc(KiB, "y")];

/** Whole uploads of two parts. */
export function multipartUploads(bucket: string): Workload {
  return {
    id: "multipart",
    title: "multipart upload, 5 MiB and 1 KiB",
    at: [1, 16],
    counts: [8, 32],
    quickAt: 1,
    prepare: async (round) =>
      Array.from({ length: round.count }, (_, index) => upload(round, `/${bucket}/${round.id}-${index}`)),
  };
}

function upload({ target }: Round, path: string): Operation {
  return async (connection) => {
    const create = { method: "POST", path, query: { uploads: "" } };
    const created = checked(create, await connection.send(target.request(create)));
    const uploadId = /<UploadId>([^<]+)/.exec(created.text)?.[1] ?? "";
    let document = "";
    for (const [index, body] of PARTS.entries()) {
      const partNumber = String(index + 1);
      const part = { method: "PUT", path, query: { partNumber, uploadId }, body };
      const { head } = checked(part, await connection.send(target.request(part)));
      const etag = /\r\netag: *(\S+)/i.exec(head)?.[1] ?? "";
      document += `<Part><PartNumber>${partNumber}</PartNumber><ETag>${etag}</ETag></Part>`;
    }
    const body = Buffer.from(`<CompleteMultipartUpload>${document}</CompleteMultipartUpload>`);
    const complete = { method: "POST", path, query: { uploadId }, body };
    checked(complete, await connection.send(target.request(complete)));
  };
}

/** PUTs with `If-None-Match: *` by as many writers as there are connections for each key: exactly one may win. */
export function conditionalPuts(bucket: string): Workload {
  return {
    id: "conditional",
    title: "contended PUT If-None-Match: *",
    at: [16, 64],
    counts: [128, 640],
    quickAt: 16,
    async prepare({ target, id, count, at }) {
      const wins = new Map<string, number>();
      return Array.from({ length: count }, (_, index): Operation => {
        const path = `/${bucket}/${id}-${Math.floor(index / at)}`;
        const headers = { "if-none-match": "*" };
        const request = { method: "PUT", path, headers, body: Buffer.alloc(KiB, "x") };
        const wire = target.request(request);
        return async (connection) => {
          const response = await connection.send(wire);
          if (response.status === 409 || response.status === 412) return;
          checked(request, response);
          wins.set(path, (wins.get(path) ?? 0) + 1);
          if ((wins.get(path) ?? 0) > 1) throw new Error(`${path}: more than one conditional PUT succeeded`);
        };
      });
    },
  };
}

/** Of ten requests six GETs, one HEAD, two PUTs of new keys and one PUT over an old one. */
export function mixed(bucket: string): Workload {
  return {
    id: "mixed",
    title: "mixed: 60 % GET, 10 % HEAD, 30 % PUT",
    at: [1, 16, 64],
    counts: [100, 640],
    quickAt: 16,
    async prepare({ target, id, count }) {
      const read = `/${bucket}/mixed`;
      await ensureObject(target, read, KiB);
      const get = single(target, { method: "GET", path: read });
      const head = single(target, { method: "HEAD", path: read });
      const body = Buffer.alloc(KiB, "x");
      return Array.from({ length: count }, (_, index) => {
        const turn = index % 10;
        if (turn < 6) return get;
        if (turn === 6) return head;
        const key = turn === 9 ? "over" : `${id}-${index}`;
        return single(target, { method: "PUT", path: `/${bucket}/${key}`, body });
      });
    },
  };
}
