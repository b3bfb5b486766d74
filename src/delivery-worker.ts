// The entry point of the delivery Worker (wrangler.delivery.toml), which runs near readers while the S3 endpoint's Worker
// runs near D1 (docs/delivery.md).
import { answerDeliveryOnly } from "./gateway/delivery-app.ts";

export default {
  fetch: async (request: Request, env, execution) => answerDeliveryOnly(request, env, execution),
} satisfies ExportedHandler<Env>;
