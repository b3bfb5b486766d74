// A page with Uppy, for the browser's checks: bundles the example's uppy.js.
import { newUppy } from "../../../examples/browser-upload/uppy.js";

const backend = new URLSearchParams(location.search).get("backend");

async function sign(action, body) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${backend}/${action}`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

const uppy = newUppy(sign);
globalThis.uppy = uppy;
uppy.on("complete", ({ successful, failed }) => {
  globalThis.outcome = {
    urls: successful.map(({ uploadURL }) => uploadURL),
    errors: failed.map(({ error }) => error),
  };
});
document.querySelector("input").addEventListener("change", ({ target: { files } }) => {
  uppy.addFile({ name: files[0].name, type: files[0].type, data: files[0] });
  uppy.upload();
});
