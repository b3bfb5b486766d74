// Uppy with the same backend: large files in parts, small ones by a POST form. Needs @uppy/core and @uppy/aws-s3 6.
import AwsS3 from "@uppy/aws-s3";
import Uppy from "@uppy/core";

const MEBIBYTE = 1024 ** 2;

/** @param sign calls the backend: `(action, body) => answer` */
export function newUppy(sign) {
  return new Uppy().use(AwsS3, {
    shouldUseMultipart: ({ size }) => size > 8 * MEBIBYTE,
    getChunkSize: ({ size }) => Math.max(8 * MEBIBYTE, Math.ceil(size / 10_000)),
    generateObjectKey: ({ name }) => name,
    async signRequest({ method, key, uploadId, partNumber, contentType }) {
      if (method === "PUT" && partNumber === undefined) return sign("form", { name: key, type: contentType });
      if (method === "POST" && uploadId === undefined) return sign("create", { name: key });
      if (method === "PUT") {
        const { urls } = await sign("parts", { key, uploadId, partNumbers: [partNumber] });
        return { url: urls[0] };
      }
      return sign({ POST: "complete", GET: "list", DELETE: "abort" }[method], { key, uploadId });
    },
  });
}
