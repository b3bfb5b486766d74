// The settings of clients that the console shows are those of docs/clients.md.
import { describe, expect, it } from "vitest";
import { clientSettings } from "../../../console/src/data/client-settings.ts";
import { templateDocument } from "../../../console/src/screens/access/policy-templates.ts";

const DOCS = Object.values(
  import.meta.glob<string>("../../../docs/clients.md", { query: "?raw", import: "default", eager: true }),
).join("");
const EXAMPLE = { endpoint: "https://cairn.example.workers.dev", accessKeyId: "AKIA…", secretAccessKey: "…" };

describe("the settings of clients", () => {
  it.each(clientSettings(EXAMPLE))("of $client are in docs/clients.md as they are", ({ text }) => {
    expect(DOCS).toContain(`\n${text}\n`);
  });

  it.each(clientSettings({ ...EXAMPLE, sessionToken: "the-token" }))(
    "of $client have the token of temporary credentials once",
    ({ text }) => {
      expect(text.split("the-token")).toHaveLength(2);
    },
  );

  it("of clients that take a host and a flag use HTTPS only where the endpoint does", () => {
    const texts = (endpoint: string): string =>
      clientSettings({ ...EXAMPLE, endpoint })
        .map(({ text }) => text)
        .join("\n");
    expect(texts("https://s3.example.com")).toMatch(/use_https = True[^]*USE_SSL true/);
    expect(texts("http://localhost:9000")).toMatch(
      /host_base = localhost:9000[^]*use_https = False[^]*ENDPOINT 'localhost:9000'[^]*USE_SSL false/,
    );
  });
});

describe("templates of policies", () => {
  it("take wildcards and variables of a prefix literally", () => {
    const document = templateDocument("readOnly", "b", "a*?${aws:username}/");
    expect(document).toContain('"arn:aws:s3:::b/a${*}${?}${$}{aws:username}/*"');
  });
});
