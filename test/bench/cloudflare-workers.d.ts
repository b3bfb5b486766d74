// What the bare Worker imports of the Workers runtime.
declare module "cloudflare:workers" {
  export abstract class DurableObject<Env> {
    protected readonly env: Env;
    constructor(state: unknown, env: Env);
  }
}
