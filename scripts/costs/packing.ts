// What packing a small body costs, counted over a full pack: the job runs after the requests that it is not part of.
import { KIB, type CountedOperation } from "./site.ts";

/** The most bodies of one pack. */
export const PACKED = 1000;

export const PACKING: CountedOperation = {
  id: "pack",
  title: "packing a body of the database",
  r2: "none",
  s3: "none",
  times: PACKED,
  settings: { INLINE_MAX_BYTES: String(KIB.length) },
  prepare: async (site) => {
    for (let key = 0; key < PACKED; key++) await site.put(`small-${key}`);
    return async () => site.pack();
  },
};
