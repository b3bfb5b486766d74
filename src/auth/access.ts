// Who is asking, and whether they may.

/** Who a request comes from. */
export type Principal =
  | { readonly kind: "root"; readonly accountId: string; readonly accessKeyId: string }
  | { readonly kind: "anonymous" };

/** Whether a principal may perform an action. Root owns everything; nobody else holds any grant. */
export function isAllowed(principal: Principal): boolean {
  return principal.kind === "root";
}

/** The owner that what a principal creates belongs to. */
export function ownerOf(principal: Principal): string {
  return principal.kind === "root" ? principal.accountId : "anonymous";
}
