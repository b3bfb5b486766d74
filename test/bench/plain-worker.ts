// The baseline of `npm run bench:front-door`: Cairn with its front door as plain functions instead of Hono. Everything
// else is the product's own code, so the difference is what Hono costs.
import { settingsOf } from "../../src/config/settings-of.ts";
import { doorOf } from "../../src/gateway/door.ts";
import { finishRequest } from "../../src/gateway/finish-request.ts";
import { answerHealth } from "../../src/gateway/health.ts";
import { answerQueryApi } from "../../src/gateway/query-api.ts";
import { RequestScope } from "../../src/gateway/request-scope.ts";
import { answerS3 } from "../../src/gateway/s3.ts";

export { KeyCoordinator } from "../../src/state/writes/key-coordinator.ts";

export default {
  async fetch(request, env, execution): Promise<Response> {
    const door = doorOf(request, settingsOf(env));
    const scope = new RequestScope(request, env, execution);
    const response = await answerAt(door, request, scope);
    finishRequest(scope, response);
    return response;
  },
} satisfies ExportedHandler<Env>;

function answerAt(door: ReturnType<typeof doorOf>, request: Request, scope: RequestScope): Promise<Response> {
  if (door === "s3") return answerS3(request, scope);
  if (door === "health") return answerHealth(request, scope);
  if (door === "iam" || door === "sts") return answerQueryApi(door, request, scope);
  throw new Error("the benchmark has no delivery hosts");
}
