#!/usr/bin/env python3
"""Copies a bucket between S3 endpoints with versions, delete markers, headers, metadata, tags and part sizes.

It deletes nothing, and a journal lets it continue or add what is new. `--check` compares instead of copying. It needs
boto3 and two profiles in ~/.aws/credentials. docs/migration.md shows its use.
"""
import argparse
import json
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from urllib.parse import urlencode

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

HEADERS = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires",
           "StorageClass", "WebsiteRedirectLocation")
NOT_OFFERED = ("NotImplemented", "MethodNotAllowed", "501")
SPOOL_BYTES = 8 * 1024 * 1024
WAITING_KEYS = 4


def client(endpoint, profile, region, workers):
    session = boto3.Session(profile_name=profile)
    config = Config(s3={"addressing_style": "path"}, signature_version="s3v4", max_pool_connections=workers + 2,
                    retries={"max_attempts": 8, "mode": "standard"})
    return session.client("s3", endpoint_url=endpoint, region_name=region, config=config)


def pages_of_versions(s3, bucket, prefix):
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        markers = [{**entry, "IsMarker": True} for entry in page.get("DeleteMarkers", [])]
        # Both lists are sorted from new to old; of equal times the version that is not current comes later.
        entries = page.get("Versions", []) + markers
        yield from sorted(entries, key=lambda e: (e["Key"].encode(), not e["IsLatest"], -e["LastModified"].timestamp()))


def versions(s3, bucket, prefix):
    """Yields (key, versions from old to new); current objects alone where the endpoint has no versions."""
    try:
        s3.list_object_versions(Bucket=bucket, MaxKeys=1)
        entries = pages_of_versions(s3, bucket, prefix)
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_OFFERED:
            raise
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        entries = (entry for page in pages for entry in page.get("Contents", []))
    for key, group in groupby(entries, lambda entry: entry["Key"]):
        yield key, list(group)[::-1]


def place_of(bucket, entry):
    place = {"Bucket": bucket, "Key": entry["Key"]}
    return {**place, "VersionId": entry["VersionId"]} if "VersionId" in entry else place


def tags_of(s3, place):
    try:
        return {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(**place)["TagSet"]}
    except ClientError as error:
        if error.response["Error"]["Code"] in NOT_OFFERED:
            return {}
        raise


def fields_of(head, keeps_time):
    """The headers and metadata that a copy stores. Last-Modified becomes the metadata that rclone reads times from."""
    fields = {name: head[name] for name in HEADERS if head.get(name)}
    metadata = dict(head["Metadata"])
    if keeps_time:
        metadata.setdefault("mtime", f"{head['LastModified'].timestamp():.0f}")
    return {**fields, "Metadata": metadata}


def part_count(head):
    _, dash, count = head["ETag"].strip('"').partition("-")
    return int(count) if dash else 0


class Copy:
    def __init__(self, options):
        self.options = options
        self.source = client(options.source, options.source_profile, options.source_region, options.workers)
        self.target = client(options.target, options.target_profile, options.target_region, options.workers)
        self.bucket, self.target_bucket = options.bucket, options.target_bucket or options.bucket
        self.lock = threading.Lock()
        self.counts = {"copied": 0, "skipped": 0, "failed": 0, "different": 0}
        self.done = set()

    def count(self, what, message=None):
        with self.lock:
            self.counts[what] += 1
            if message:
                print(message, file=sys.stderr)

    def each_key(self, work):
        """Runs work(key, versions) for every key, several at a time, without reading the whole list ahead."""
        slots = threading.Semaphore(self.options.workers * WAITING_KEYS)

        def run(key, entries):
            try:
                work(key, entries)
            except (ClientError, BotoCoreError) as error:
                self.count("failed", f"failed: {key}: {error}")
            finally:
                slots.release()

        with ThreadPoolExecutor(self.options.workers) as pool:
            for key, entries in versions(self.source, self.bucket, self.options.prefix):
                slots.acquire()
                pool.submit(run, key, entries)

    def copy(self):
        with open(self.options.journal, "a+", encoding="utf-8") as journal:
            journal.seek(0)
            lines = journal.read().split("\n")
            if lines[-1]:
                journal.write("\n")  # An earlier run ended in the middle of its last line.
            self.done = {tuple(json.loads(line)) for line in lines[:-1] if line.endswith("]")}
            self.each_key(lambda key, entries: self.copy_key(entries, journal))

    def copy_key(self, entries, journal):
        for entry in entries:
            time = entry["LastModified"].isoformat()
            mark = (entry["Key"], entry.get("VersionId", ""), entry.get("ETag", ""), time)
            if mark in self.done:
                self.count("skipped")
                continue
            if "IsMarker" in entry:
                self.target.delete_object(Bucket=self.target_bucket, Key=entry["Key"])
            else:
                self.copy_version(place_of(self.bucket, entry), entry["Key"])
            with self.lock:
                journal.write(json.dumps(mark) + "\n")
                journal.flush()
            self.count("copied")

    def copy_version(self, place, key):
        head = self.source.head_object(**place)
        fields = fields_of(head, not self.options.no_mtime)
        tags = tags_of(self.source, place)
        if tags:
            fields["Tagging"] = urlencode(tags)
        to = {"Bucket": self.target_bucket, "Key": key}
        count = part_count(head)
        if count == 0:
            with self.bytes_of(place) as body:
                self.target.put_object(**to, **fields, Body=body)
            return
        upload = {**to, "UploadId": self.target.create_multipart_upload(**to, **fields)["UploadId"]}
        try:
            parts = []
            for number in range(1, count + 1):
                with self.bytes_of({**place, "PartNumber": number}) as body:
                    etag = self.target.upload_part(**upload, PartNumber=number, Body=body)["ETag"]
                parts.append({"PartNumber": number, "ETag": etag})
            self.target.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        except Exception:
            self.target.abort_multipart_upload(**upload)
            raise

    def bytes_of(self, request):
        spool = tempfile.SpooledTemporaryFile(SPOOL_BYTES)
        for chunk in self.source.get_object(**request)["Body"].iter_chunks(1024 * 1024):
            spool.write(chunk)
        spool.seek(0)
        return spool

    def check(self):
        self.each_key(lambda key, entries: self.check_key(key, entries))

    def check_key(self, key, entries):
        found = next((versions for name, versions in versions(self.target, self.target_bucket, key) if name == key), [])
        if len(found) != len(entries):
            self.count("different", f"different: {key}: {len(entries)} versions there, {len(found)} here")
            return
        for there, here in zip(entries, found):
            is_marker = "IsMarker" in there
            if is_marker != ("IsMarker" in here):
                self.count("different", f"different: {key}: a delete marker and a version")
            elif not is_marker:
                self.check_version(key, place_of(self.bucket, there), place_of(self.target_bucket, here))

    def check_version(self, key, there, here):
        heads = self.source.head_object(**there), self.target.head_object(**here)
        sides = []
        for s3, place, head, keeps in zip((self.source, self.target), (there, here), heads, (True, False)):
            fields = fields_of(head, keeps and not self.options.no_mtime)
            sides.append({**fields, "Size": head["ContentLength"], "ETag": head["ETag"], "Tags": tags_of(s3, place)})
        names = [name for name in sorted({*sides[0], *sides[1]}) if sides[0].get(name) != sides[1].get(name)]
        if names:
            self.count("different", f"different: {key}: {', '.join(names)}")
        else:
            self.count("skipped")


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bucket", help="bucket at the source")
    parser.add_argument("target_bucket", nargs="?", help="bucket at the target; the same name by default")
    parser.add_argument("--source", required=True, help="endpoint to copy from")
    parser.add_argument("--target", required=True, help="endpoint to copy to")
    parser.add_argument("--source-profile", default="source")
    parser.add_argument("--source-region", default="us-east-1", help="region that the source expects in signatures")
    parser.add_argument("--target-profile", default="cairn")
    parser.add_argument("--target-region", default="auto")
    parser.add_argument("--prefix", default="", help="copy keys with this prefix only")
    parser.add_argument("--journal", default="copy-bucket.journal", help="file that lists what is copied")
    parser.add_argument("--no-mtime", action="store_true", help="do not store Last-Modified as the metadata mtime")
    parser.add_argument("--workers", type=int, default=8, help="keys at a time")
    parser.add_argument("--check", action="store_true", help="compare the two buckets and copy nothing")
    return parser.parse_args()


def main():
    copy = Copy(read_options())
    if copy.options.check:
        copy.check()
    else:
        copy.copy()
    equal = "equal" if copy.options.check else "copied before"
    counts = copy.counts
    print(f"{counts['copied']} copied, {counts['skipped']} {equal}, {counts['different']} different, {counts['failed']} failed")
    sys.exit(1 if counts["failed"] or counts["different"] else 0)


if __name__ == "__main__":
    main()
