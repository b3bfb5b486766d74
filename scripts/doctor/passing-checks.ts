// Checks of requests and answers that proxies change for web pages: queries, posted XML, HTML and ranges.
import { bad, good, type Finding } from "./findings.ts";
import { codeOf, describe, get, put, type Place } from "./place.ts";

/** Trap 4: parameters that are decoded and encoded again. */
export async function checkQuery(place: Place): Promise<Finding> {
  const names = ["query a+b", "query a%2Bb", "query a&b=c", "query é"];
  for (const name of names) {
    await put(place, encodeURIComponent(name), Buffer.from("query"));
    const parameters = `list-type=2&encoding-type=url&prefix=${encodeURIComponent(place.prefix + name)}`;
    const listed = await place.wire.send({ method: "GET", target: `/${place.bucket}?${parameters}` });
    const [, key = ""] = /<Key>(.*?)<\/Key>/.exec(listed.body.toString()) ?? [];
    if (listed.status === 200 && key.endsWith(encodeURIComponent(name))) continue;
    return bad(
      "query",
      `a listing of "${name}" is answered ${describe(listed)}${listed.status === 200 ? " without that key" : ""}`,
      "Something rewrites the query: pass it on as it is, with every parameter and its percent-encoding (Cloudflare: no transform rule for this host).",
    );
  }
  return good("query", "parameters arrive as they are sent");
}

/** A firewall that takes XML for an attack refuses deletions of many objects, and configurations. */
export async function checkPosts(place: Place): Promise<Finding> {
  await put(place, "posted", Buffer.from("posted"));
  const document = `<Delete><Object><Key>${place.prefix}posted</Key></Object></Delete>`;
  const answer = await place.wire.send({
    method: "POST",
    target: `/${place.bucket}?delete`,
    body: Buffer.from(document),
  });
  const isDeleted = answer.status === 200 && answer.body.includes("<Deleted>");
  if (isDeleted) return good("posts", "posted XML is obeyed");
  if (codeOf(answer) === "AccessDenied") return good("posts", "posted XML arrives; the credentials may not delete so");
  return bad(
    "posts",
    `DeleteObjects is answered ${describe(answer)}`,
    "Something before the Worker refuses or changes a POST of XML: add a rule that skips firewall and bot checks for this host.",
  );
}

/** What page optimisers change: addresses, scripts, links and white space. */
export async function checkHtml(place: Place): Promise<Finding> {
  const page = `<!doctype html>
<html><head><title>doctor</title>   <link rel="stylesheet" href="http://example.com/a.css"><script>  let a = 1;  </script></head>
<body>
  <!-- comment -->
  <a href="mailto:doctor@example.com">doctor@example.com</a>   <img src="http://example.com/a.png">
</body></html>
`;
  const body = Buffer.from(page);
  await put(place, "page.html", body, { "content-type": "text/html; charset=utf-8" });
  const read = await get(place, "page.html", { accept: "text/html", "user-agent": "Mozilla/5.0" });
  if (read.status === 200 && read.body.equals(body)) return good("html", "pages of HTML arrive as they are");
  return bad(
    "html",
    read.status === 200 ? "pages of HTML arrive with other bytes" : `a page of HTML is answered ${describe(read)}`,
    "Turn off what changes pages for this host: Email Address Obfuscation, Rocket Loader, Automatic HTTPS Rewrites, Fonts and Web Analytics.",
  );
}

/** Clients read and resume large objects by ranges. */
export async function checkRanges(place: Place): Promise<Finding> {
  await put(place, "ranges", Buffer.from("0123456789"));
  const wanted = [
    ["bytes=2-4", "234", "bytes 2-4/10"],
    ["bytes=-3", "789", "bytes 7-9/10"],
  ] as const;
  for (const [range, text, contentRange] of wanted) {
    const read = await get(place, "ranges", { range });
    const isRight = read.status === 206 && read.headers["content-range"] === contentRange;
    if (isRight && read.body.toString() === text) continue;
    return bad(
      "ranges",
      `"Range: ${range}" is answered ${describe(read)} with ${read.body.length} bytes instead of 206 with ${text.length}`,
      "Something drops or answers ranges before the Worker: turn caching and rewriting off for this host.",
    );
  }
  const whole = await get(place, "ranges");
  if (whole.headers["content-length"] === "10") return good("ranges", "ranges and lengths arrive as they are");
  return bad(
    "ranges",
    `an object of 10 bytes arrives with a length of ${whole.headers["content-length"] ?? "nothing"}`,
    "Something sends answers in chunks: have it pass on Content-Length, and turn compression off for this host.",
  );
}
