// Cairn with D1 and R2 at the distance that each request names, for `npm run bench:edge`.
import worker from "../../../src/worker.ts";
import { answerFrom } from "./distance.ts";

export { CachedBlob, KeyCoordinator } from "../../../src/worker.ts";

export default {
  fetch: async (request, env, execution) =>
    answerFrom(request, env, async (distant) => worker.fetch(request, distant, execution)),
} satisfies ExportedHandler<Env>;
