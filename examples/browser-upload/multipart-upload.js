// Uploads a large file straight to S3 by presigned URLs, in parts. It can be paused, and resumed even after a reload:
// ListParts says which parts have arrived.

const MEBIBYTE = 1024 ** 2;
const PART_MIN_BYTES = 8 * MEBIBYTE;
const MAX_PARTS = 10_000;
const PARALLEL_PARTS = 3;
const ATTEMPTS = 5;

/** Where the unfinished upload of a file is remembered. */
const memoryOf = ({ name, size, lastModified }) => `upload ${name} ${size} ${lastModified}`;

export class MultipartUpload extends EventTarget {
  #file;
  #sign;
  #state;
  #done = new Map();
  #running = new Map();
  /** Counts runs and pauses, so that the parts of an earlier run stop. */
  #turn = 0;

  /**
   * @param file a File
   * @param sign calls the backend: `(action, body) => answer`
   */
  constructor(file, sign) {
    super();
    this.#file = file;
    this.#sign = sign;
  }

  get uploadedBytes() {
    let bytes = 0;
    for (const part of this.#done.values()) bytes += part.size;
    for (const { loaded } of this.#running.values()) bytes += loaded;
    return bytes;
  }

  /** Uploads what has not arrived yet. Resolves with the key, or with undefined if it was paused. */
  async run() {
    this.#turn += 1;
    const turn = this.#turn;
    await this.#open();
    const count = Math.max(1, Math.ceil(this.#file.size / this.#state.partSize));
    const waiting = Array.from({ length: count }, (_, index) => index + 1).filter((number) => !this.#done.has(number));
    const lane = async () => {
      while (turn === this.#turn && waiting.length > 0) await this.#putPart(waiting.shift(), turn);
    };
    await Promise.all(Array.from({ length: PARALLEL_PARTS }, lane));
    if (turn !== this.#turn) return undefined;
    return this.#complete();
  }

  /** Stops at once. Parts that are under way are sent again later. */
  pause() {
    this.#turn += 1;
    for (const request of this.#running.keys()) request.abort();
    this.#running.clear();
    this.#announce();
  }

  /** Gives the upload up and deletes its parts. */
  async abort() {
    this.pause();
    const { url } = await this.#sign("abort", this.#state);
    await fetch(url, { method: "DELETE" });
    localStorage.removeItem(memoryOf(this.#file));
  }

  async #open() {
    if (this.#state !== undefined) return;
    const memory = memoryOf(this.#file);
    const known = JSON.parse(localStorage.getItem(memory) ?? "null");
    if (known !== null && (await this.#readParts(known))) {
      this.#state = known;
      this.dispatchEvent(new CustomEvent("resumed", { detail: this.#done.size }));
      return;
    }
    const { key, url } = await this.#sign("create", { name: this.#file.name });
    const uploadId = textOf(await post(url), "UploadId");
    const partSize = Math.max(PART_MIN_BYTES, Math.ceil(this.#file.size / MAX_PARTS / MEBIBYTE) * MEBIBYTE);
    this.#state = { key, uploadId, partSize };
    localStorage.setItem(memory, JSON.stringify(this.#state));
  }

  /** Reads which parts have arrived. Returns false if the upload no longer exists. */
  async #readParts({ key, uploadId, partSize }) {
    for (let marker = 0; ;) {
      const { url } = await this.#sign("list", { key, uploadId, marker });
      const response = await fetch(url);
      if (response.status === 404) return false;
      const page = parse(await checked(response));
      for (const part of page.querySelectorAll("Part")) {
        const number = Number(part.querySelector("PartNumber").textContent);
        const size = Number(part.querySelector("Size").textContent);
        // A part of another size is from another plan, and is sent again.
        if (size === this.#rangeOf(number, partSize).size) {
          this.#done.set(number, { size, etag: part.querySelector("ETag").textContent });
        }
      }
      if (page.querySelector("IsTruncated")?.textContent !== "true") return true;
      marker = page.querySelector("NextPartNumberMarker").textContent;
    }
  }

  #rangeOf(number, partSize) {
    const start = (number - 1) * partSize;
    const end = Math.min(start + partSize, this.#file.size);
    return { start, end, size: end - start };
  }

  async #putPart(number, turn) {
    const { key, uploadId, partSize } = this.#state;
    const { start, end, size } = this.#rangeOf(number, partSize);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { urls } = await this.#sign("parts", { key, uploadId, partNumbers: [number] });
        if (turn !== this.#turn) return;
        const etag = await this.#put(urls[0], this.#file.slice(start, end));
        this.#done.set(number, { size, etag });
        this.#announce();
        return;
      } catch (error) {
        if (turn !== this.#turn) return;
        if (attempt === ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));
      }
    }
  }

  /** Puts a part. XMLHttpRequest reports progress of a request body; fetch does not. */
  #put(url, body) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      const progress = { loaded: 0 };
      this.#running.set(request, progress);
      request.open("PUT", url);
      request.upload.addEventListener("progress", ({ loaded }) => {
        progress.loaded = loaded;
        this.#announce();
      });
      request.addEventListener("load", () => {
        const etag = request.getResponseHeader("etag");
        if (request.status !== 200)
          reject(new Error(`the part was refused: ${request.status} ${request.responseText}`));
        else if (etag === null) reject(new Error("the bucket's CORS rule does not expose ETag"));
        else resolve(etag);
      });
      request.addEventListener("error", () => reject(new Error("the part could not be sent")));
      request.addEventListener("abort", () => reject(new Error("paused")));
      request.addEventListener("loadend", () => this.#running.delete(request));
      request.send(body);
    });
  }

  async #complete() {
    const parts = Array.from(this.#done, ([number, { etag }]) => ({ number, etag }));
    parts.sort((a, b) => a.number - b.number);
    const xml = parts.map(({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`);
    const { url } = await this.#sign("complete", this.#state);
    await post(url, `<CompleteMultipartUpload>${xml.join("")}</CompleteMultipartUpload>`);
    localStorage.removeItem(memoryOf(this.#file));
    return this.#state.key;
  }

  #announce() {
    this.dispatchEvent(new CustomEvent("progress", { detail: { bytes: this.uploadedBytes, of: this.#file.size } }));
  }
}

async function post(url, body) {
  return checked(await fetch(url, { method: "POST", body }));
}

/** The text of a response that succeeded. A completion can fail with status 200 and an Error document. */
async function checked(response) {
  const text = await response.text();
  if (!response.ok || /<Error>/.test(text)) throw new Error(`${response.status}: ${text}`);
  return text;
}

const parse = (text) => new DOMParser().parseFromString(text, "text/xml");
const textOf = (text, name) => parse(text).querySelector(name).textContent;
