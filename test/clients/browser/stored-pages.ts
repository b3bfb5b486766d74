// Objects that are HTML pages: browsers show them, but run no script of theirs on the endpoint's origin.
import assert from "node:assert/strict";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { Check } from "../harness.ts";
import { openPage, pageThatReports, reportOf } from "./chromium.ts";
import type { BrowserTools } from "./tools.ts";

/** The smallest picture there is: one transparent pixel. */
const PICTURE = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64");

export function storedPageChecks(tools: BrowserTools): Check[] {
  const { site, client, pages, bucket } = tools;

  async function store(key: string, type: string, body: string | Buffer): Promise<string> {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, ContentType: type, Body: body }));
    return getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: key }), { expiresIn: 60 });
  }

  /** A page whose script sends a request to the page server, and marks the page. */
  const acting = (name: string): string =>
    `<p id="shown">shown</p><img src="x" onerror="new Image().src = '${pages.origin}/acted-${name}-handler'">
     <script>document.getElementById("shown").textContent = "acted"; fetch("${pages.origin}/acted-${name}");</script>`;

  return [
    {
      name: "a stored page is shown, and its script does not run",
      async run() {
        // Control: the same script runs on an origin without the sandbox.
        const free = await openPage(site, pages.show("free", acting("free")));
        assert.match(free, /<p id="shown">acted<\/p>/);
        assert.deepEqual(pages.visitsOf("/acted-free").toSorted(), ["/acted-free", "/acted-free-handler"]);
        const stored = await openPage(site, await store("page.html", "text/html", acting("stored")));
        assert.match(stored, /<p id="shown">shown<\/p>/);
        assert.deepEqual(pages.visitsOf("/acted-stored"), []);
      },
    },
    {
      name: "a script does not run in a frame, nor in an object that only its URL calls a page",
      async run() {
        const framed = await store("framed.html", "text/html", acting("framed"));
        await openPage(site, pages.show("frame", `<iframe src="${framed.replaceAll("&", "&amp;")}"></iframe>`));
        await store("renamed.bin", "application/octet-stream", acting("renamed"));
        const command = new GetObjectCommand({ Bucket: bucket, Key: "renamed.bin", ResponseContentType: "text/html" });
        const renamed = await openPage(site, await getSignedUrl(client, command, { expiresIn: 60 }));
        assert.match(renamed, /<p id="shown">shown<\/p>/);
        assert.deepEqual([...pages.visitsOf("/acted-framed"), ...pages.visitsOf("/acted-renamed")], []);
      },
    },
    {
      name: "an SVG runs no script, and text/plain is not shown as a page",
      async run() {
        const drawing = `<svg xmlns="http://www.w3.org/2000/svg"><text id="shown">shown</text>
          <script>document.getElementById("shown").textContent = "acted"; fetch("${pages.origin}/acted-drawing");</script></svg>`;
        const drawn = await openPage(site, await store("drawing.svg", "image/svg+xml", drawing));
        assert.match(drawn, /<text id="shown">shown<\/text>/);
        const text = await openPage(site, await store("text.txt", "text/plain", acting("text")));
        assert.match(text, /&lt;script&gt;/);
        assert.deepEqual([...pages.visitsOf("/acted-drawing"), ...pages.visitsOf("/acted-text")], []);
      },
    },
    {
      name: "pictures are shown in pages of another origin, and by themselves",
      async run() {
        const url = await store("picture.gif", "image/gif", PICTURE);
        const code = `const image = new Image(); image.src = ${JSON.stringify(url)};
          await image.decode(); return [image.naturalWidth, image.naturalHeight];`;
        assert.deepEqual(reportOf(await openPage(site, pages.show("picture", pageThatReports(code)))), [1, 1]);
        assert.match(await openPage(site, url), /<img [^>]*src="[^"]*picture\.gif/);
      },
    },
  ];
}
