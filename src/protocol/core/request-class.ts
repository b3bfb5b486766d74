// Classes of requests, as R2 and S3 bill them: class A writes and lists, class B reads, and deletions are free.

export type RequestClass = "A" | "B" | "free";

/** The class of an operation of S3, IAM or STS, or of a delivery. Unknown operations count as reads. */
export function requestClassOf(operation: string): RequestClass {
  if (/^(?:Delete|Abort)/.test(operation)) return "free";
  if (/^(?:Get|Head|Deliver|Preflight|Health|Metrics|Console|Unknown|Preview|Check|sts|iam)/.test(operation))
    return "B";
  return "A";
}
