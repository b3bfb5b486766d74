// GetBucketRequestPayment: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketRequestPayment.html
// The owner pays: there is nobody else to.
import { element } from "../bytes/xml.ts";
import { defineUnsetConfiguration } from "../contract/unset-configuration.ts";

export const getBucketRequestPayment = defineUnsetConfiguration({
  name: "GetBucketRequestPayment",
  actions: ["s3:GetBucketRequestPayment"],
  subresource: "requestPayment",
  answer: { root: "RequestPaymentConfiguration", content: [element("Payer", "BucketOwner")] },
});
