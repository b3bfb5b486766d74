// Invented buckets, for pictures.
import { s3, type Stage } from "./stage.ts";

const LIFECYCLE = `<LifecycleConfiguration><Rule><ID>old-backups</ID><Filter><Prefix>daily/</Prefix></Filter><Status>Enabled</Status>
<Expiration><Days>30</Days></Expiration><NoncurrentVersionExpiration><NoncurrentDays>7</NoncurrentDays></NoncurrentVersionExpiration>
<AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>`;

const KIB = 1024;

/** Creates a few buckets with objects, versions and rules. */
export async function fillBuckets(stage: Stage): Promise<void> {
  const put = (target: string, kibibytes: number): Promise<Response> =>
    s3(stage, "PUT", target, new Uint8Array(kibibytes * KIB).fill(65));
  for (const bucket of ["backups", "photos", "site", "team-documents"]) await s3(stage, "PUT", `/${bucket}`);
  const versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
  for (const bucket of ["photos", "team-documents"]) await s3(stage, "PUT", `/${bucket}?versioning`, versioning);
  for (const day of ["24", "25", "26", "27", "28"]) await put(`/backups/daily/2026-11-${day}.tar.zst`, 640);
  await s3(stage, "PUT", "/backups?lifecycle", LIFECYCLE);
  for (const name of ["harbour", "lighthouse", "pier", "sunset"]) await put(`/photos/2026/${name}.jpg`, 300);
  await put("/photos/2026/pier.jpg", 320);
  for (const [name, size] of [
    ["index.html", 4],
    ["style.css", 9],
    ["logo.svg", 2],
  ] as const)
    await put(`/site/${name}`, size);
  for (const name of ["plan.md", "budget.csv", "minutes.txt"]) await put(`/team-documents/${name}`, 12);
  const readers = { Sid: "PublicRead", Effect: "Allow", Principal: "*", Action: "s3:GetObject" };
  for (const bucket of ["photos", "site"]) {
    const Statement = [{ ...readers, Resource: `arn:aws:s3:::${bucket}/*` }];
    await s3(stage, "PUT", `/${bucket}?policy`, JSON.stringify({ Version: "2012-10-17", Statement }, undefined, 2));
  }
}
