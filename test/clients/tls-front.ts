// TLS before a plain port: bytes pass through as they are. SDKs send streamed bodies with checksum trailers only over
// TLS, so without this a good part of what they do is never seen.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { createServer, getCACertificates, setDefaultCACertificates } from "node:tls";
import { outputOf, words } from "./run-command.ts";

export interface TlsFront {
  readonly url: string;
  /** The certificate, which is its own authority. */
  readonly caFile: string;
  close(): void;
}

/** Opens a port whose connections end, without their TLS, at the plain endpoint. */
export async function openTlsFront(plainUrl: string, folder: string): Promise<TlsFront> {
  const keyFile = join(folder, "front.key");
  const caFile = join(folder, "front.crt");
  await makeCertificate(keyFile, caFile);

  // For clients in this process, some of which open connections that no option of theirs reaches.
  setDefaultCACertificates([...getCACertificates("default"), readFileSync(caFile, "utf8")]);

  const { hostname, port } = new URL(plainUrl);
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  };
  const front = createServer({ key: readFileSync(keyFile), cert: readFileSync(caFile), allowHalfOpen: true });
  front.on("secureConnection", (outside) => {
    const inside = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    keep(outside);
    keep(inside);
    for (const socket of [outside, inside]) socket.setNoDelay(true);
    // A side that breaks off breaks the other off, as on a plain connection.
    outside.on("error", () => inside.destroy());
    inside.on("error", () => outside.destroy());
    outside.pipe(inside);
    inside.pipe(outside);
    outside.once("close", () => inside.destroy());
    inside.once("close", () => outside.end());
  });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  return {
    url: `https://127.0.0.1:${addressOf(front.address()).port}`,
    caFile,
    close() {
      front.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === "string") throw new Error("the front has no port");
  return address;
}

async function makeCertificate(keyFile: string, certificateFile: string): Promise<void> {
  await outputOf(
    "/usr/bin/openssl",
    [
      ...words("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"),
      ...words("-addext subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:*.s3.cairn.test"),
      ...words(`-keyout ${keyFile} -out ${certificateFile}`),
    ],
    { env: { PATH: process.env["PATH"] ?? "" } },
  );
}
