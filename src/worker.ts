// The Worker's entry: what Cloudflare calls. Everything it does lives on the floors below.
import { DurableObject } from "cloudflare:workers";

export class KeyCoordinator extends DurableObject {}

export default {
  fetch(): Response {
    return new Response("placeholder");
  },
};
