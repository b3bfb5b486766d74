// What programs do with files, in a folder in which a bucket is mounted.
import assert from "node:assert/strict";
import {
  appendFile,
  copyFile,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { Check } from "../harness.ts";
import { hashBytes } from "../hashes.ts";
import { assertKeys, assertObject, assertObjectHash, eventually, type Folder } from "./folder.ts";

/** The checks of one folder, in their order. */
export function fileChecks(folder: Folder): Check[] {
  const at = (...names: readonly string[]): string => join(folder.path, ...names);
  return [
    {
      name: "a file that is written is an object, and an object that is put is a file",
      async run() {
        await writeFile(at("written"), "written here");
        await assertObject(folder, "written", "written here");
        await folder.s3.send(new PutObjectCommand({ Bucket: folder.bucket, Key: "put", Body: "put there" }));
        await eventually(async () => assert.equal(await readFile(at("put"), "utf8"), "put there"));
        assert.equal((await stat(at("put"))).size, 9);
        assert.ok((await readdir(at())).includes("put"));
      },
    },
    {
      name: "a file is edited in its middle, overwritten and emptied",
      async run() {
        await writeFile(at("edited"), "0123456789");
        await assertObject(folder, "edited", "0123456789");
        const file = await open(at("edited"), "r+");
        await file.write("XYZ", 4);
        await file.close();
        await assertObject(folder, "edited", "0123XYZ789");
        await writeFile(at("edited"), "short");
        await assertObject(folder, "edited", "short");
        await writeFile(at("edited"), "");
        await assertObject(folder, "edited", "");
      },
    },
    {
      name: "a file is appended to, by one program after the other",
      async run() {
        let expected = "";
        for (const line of ["one\n", "two\n", "three\n", "four\n"]) {
          await appendFile(at("appended"), line);
          expected += line;
          if (line !== "two\n") await assertObject(folder, "appended", expected);
        }
        assert.equal(await readFile(at("appended"), "utf8"), expected);
      },
    },
    {
      name: "a file is truncated to fewer bytes and extended to more",
      async run() {
        await writeFile(at("truncated"), "0123456789");
        await assertObject(folder, "truncated", "0123456789");
        await truncate(at("truncated"), 4);
        await assertObject(folder, "truncated", "0123");
        await truncate(at("truncated"), 6);
        await assertObject(folder, "truncated", "0123\0\0");
      },
    },
    {
      name: "a file is renamed, also over another, and its bytes are read under the new name",
      async run() {
        await writeFile(at("old name"), "renamed");
        await writeFile(at("replaced &+é"), "replaced");
        // A rename breaks off an upload that is under way, and its bytes may have been stored under the old name nevertheless.
        await assertKeys(folder, "old name", ["old name"]);
        await assertKeys(folder, "replaced", ["replaced &+é"]);
        await rename(at("old name"), at("new name"));
        await assertObject(folder, "new name", "renamed");
        await rename(at("new name"), at("replaced &+é"));
        await assertObject(folder, "replaced &+é", "renamed");
        await assertKeys(folder, "old name", []);
        await assertKeys(folder, "new name", []);
        assert.equal(await readFile(at("replaced &+é"), "utf8"), "renamed");
      },
    },
    {
      name: "folders are made, filled, renamed and removed",
      async run() {
        await mkdir(at("folder"));
        await mkdir(at("folder", "inner"));
        await writeFile(at("folder", "a"), "a");
        await writeFile(at("folder", "inner", "b"), "b");
        await assertKeys(folder, "folder/", ["folder/a", "folder/inner/b"]);
        await rename(at("folder"), at("moved"));
        await assertKeys(folder, "moved/", ["moved/a", "moved/inner/b"]);
        await assertKeys(folder, "folder/", []);
        assert.equal(await readFile(at("moved", "inner", "b"), "utf8"), "b");
        await assert.rejects(rmdir(at("moved")), /ENOTEMPTY|EEXIST/);
        await rm(at("moved", "inner", "b"));
        await rmdir(at("moved", "inner"));
        await rm(at("moved"), { recursive: true });
        await assertKeys(folder, "moved/", []);
        assert.ok(!(await readdir(at())).includes("moved"));
      },
    },
    {
      name: "a file of 25 MB is copied into the folder, edited, renamed and read in pieces",
      async run() {
        const { file, sha256, size } = folder.site.medium;
        await copyFile(file, at("medium"));
        await assertObjectHash(folder, "medium", sha256);
        const bytes = await readFile(file);
        bytes.write("edited", 12_000_000);
        const opened = await open(at("medium"), "r+");
        await opened.write("edited", 12_000_000);
        await opened.close();
        const edited = hashBytes("sha256", bytes);
        await assertObjectHash(folder, "medium", edited);
        await rename(at("medium"), at("medium, renamed"));
        await assertObjectHash(folder, "medium, renamed", edited);
        const reading = await open(at("medium, renamed"), "r");
        for (const position of [size - 10, 11_999_998, 0, 5_242_879]) {
          const { buffer } = await reading.read(Buffer.alloc(10), 0, 10, position);
          assert.deepEqual(buffer, bytes.subarray(position, position + 10));
        }
        await reading.close();
        await rm(at("medium, renamed"));
        await assertKeys(folder, "medium", []);
      },
    },
  ];
}
