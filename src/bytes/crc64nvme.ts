// CRC-64/NVME in WebAssembly (crc64nvme.wat): ten times as fast as the runtime's own. The runtime compiles no module
// itself, so the Worker's entry point imports the module and installs it; in other programs there is none.

interface Exports {
  readonly memory: WebAssembly.Memory;
  /** Where in the memory the next bytes are written, and how many at a time. */
  readonly piece: WebAssembly.Global;
  readonly pieceBytes: WebAssembly.Global;
  /** The CRC after the first `length` bytes of the piece. */
  readonly update: (crc: bigint, length: number) => bigint;
}

interface Installed {
  readonly piece: Uint8Array;
  readonly update: Exports["update"];
}

let installed: Installed | undefined;

/** Makes the module available to {@link startCrc64Nvme}. */
export function installCrc64Nvme(module: WebAssembly.Module): void {
  const { exports } = new WebAssembly.Instance(module);
  // The module's text declares these exports.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { memory, piece, pieceBytes, update } = exports as unknown as Exports;
  installed = { piece: new Uint8Array(memory.buffer, Number(piece.value), Number(pieceBytes.value)), update };
}

/** Starts a CRC; undefined if no module is installed. */
export function startCrc64Nvme(): Crc64Nvme | undefined {
  return installed === undefined ? undefined : new Crc64Nvme(installed);
}

const CRC_BYTES = 8;

/** A CRC over bytes that arrive in pieces. All CRCs share one memory, and each call leaves nothing in it. */
export class Crc64Nvme {
  readonly #module: Installed;
  /** Begins with ones and is inverted at the end. */
  #crc = -1n;

  constructor(module: Installed) {
    this.#module = module;
  }

  /** Adds the next bytes, which the caller may reuse at once. */
  update(bytes: Uint8Array): void {
    const { piece, update } = this.#module;
    for (let start = 0; start < bytes.length; start += piece.length) {
      const part = bytes.subarray(start, start + piece.length);
      piece.set(part);
      this.#crc = update(this.#crc, part.length);
    }
  }

  /** Returns the CRC, big-endian. */
  finish(): Uint8Array {
    const result = new Uint8Array(CRC_BYTES);
    new DataView(result.buffer).setBigInt64(0, ~this.#crc);
    return result;
  }
}
