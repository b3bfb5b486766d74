// The page: connects its controls with uploads. `?backend=` names the backend of backend.mjs.
import { MultipartUpload } from "./multipart-upload.js";

const backend = new URLSearchParams(location.search).get("backend") ?? "http://localhost:8081";
const at = (id) => document.getElementById(id);

async function sign(action, body) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${backend}/${action}`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error((await response.json()).error);
  return response.json();
}

const show = (text) => {
  at("status").textContent = text;
};

let upload;

async function run() {
  at("pause").disabled = false;
  at("resume").disabled = true;
  try {
    const key = await upload.run();
    if (key !== undefined) show(`stored as ${key}`);
  } catch (error) {
    show(`failed: ${error.message}`);
    at("resume").disabled = false;
  }
  at("pause").disabled = true;
}

at("large").addEventListener("change", ({ target: { files } }) => {
  upload = new MultipartUpload(files[0], sign);
  upload.addEventListener("progress", ({ detail: { bytes, of } }) => {
    at("progress").value = of === 0 ? 1 : bytes / of;
  });
  upload.addEventListener("resumed", ({ detail }) => show(`resumed after ${detail} parts`));
  show("uploading");
  void run();
});

at("pause").addEventListener("click", () => {
  upload.pause();
  show("paused");
  at("resume").disabled = false;
});

at("resume").addEventListener("click", () => {
  show("uploading");
  void run();
});

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  void sendForm();
});

async function sendForm() {
  const [file] = at("small").files;
  try {
    const { url, fields } = await sign("form", { name: file.name, type: file.type || undefined });
    const data = new FormData();
    for (const [name, value] of Object.entries(fields)) data.append(name, value);
    // The file comes last: S3 ignores fields after it.
    data.append("file", file);
    const response = await fetch(url, { method: "POST", body: data });
    const text = await response.text();
    if (response.status !== 201) throw new Error(text);
    show(`stored as ${fields.key}`);
  } catch (error) {
    show(`failed: ${error.message}`);
  }
}
