// The bare Worker with D1 and R2 at the distance that each request names, for `npm run bench:edge`.
import bare from "../bare-worker.ts";
import { answerFrom } from "./distance.ts";

export { BareCommitter } from "../bare-worker.ts";

export default {
  fetch: (request: Request, env: Parameters<typeof bare.fetch>[1]) =>
    answerFrom(request, env, (distant) => bare.fetch(request, distant)),
};
