// The Worker of `npm run bench:checksums`: each request computes one digest of as many bytes as it asks for.
import { digest, RunningDigest, type DigestAlgorithm } from "../../src/bytes/digest.ts";
import { installWasmModules } from "../../src/bytes/wasm-modules.ts";

installWasmModules();

const PIECE = Uint8Array.from({ length: 65_536 }, (_, index) => index * 31 + (index >> 8));

export default {
  async fetch({ url }: Request): Promise<Response> {
    const { searchParams } = new URL(url);
    // The script passes names of DigestAlgorithm.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const algorithm = (searchParams.get("algorithm") ?? "MD5") as DigestAlgorithm;
    const running = new RunningDigest(algorithm);
    for (let piece = 0; piece < Number(searchParams.get("pieces")); piece += 1) await running.update(PIECE);
    await running.finish();
    return Response.json({ bytes: (await digest(algorithm, PIECE)).length });
  },
};
