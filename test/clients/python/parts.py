# boto3: uploads and copies in parts with its default thresholds.
import hashlib
import uuid

from boto3.s3.transfer import TransferConfig
from harness import BUCKET, SITE, check, equal, put, refused, s3


@check("upload_file puts 25 MB in parts, which become one object")
def _():
    body = SITE["medium"]
    s3.upload_file(body["file"], BUCKET, "parts/original", ExtraArgs={"Metadata": {"color": "blue"}})
    head = s3.head_object(Bucket=BUCKET, Key="parts/original")
    assert head["ETag"].endswith('-3"'), head["ETag"]
    equal(head["ContentLength"], body["size"])
    equal(head["Metadata"], {"color": "blue"})
    equal(_downloaded("parts/original"), body["sha256"])


@check("copy copies on the server, in one request and in parts")
def _():
    source = {"Bucket": BUCKET, "Key": "parts/original"}
    for key, threshold in [("parts/one &+é", 1024**3), ("parts/several &+é", 8 * 1024**2)]:
        s3.copy(source, BUCKET, key, Config=TransferConfig(multipart_threshold=threshold))
        equal(_downloaded(key), SITE["medium"]["sha256"])


@check("parts may be sent in any order and replaced; a list in a wrong order or with parts that are too small is refused")
def _():
    key = "parts/by-hand"
    upload = {"Bucket": BUCKET, "Key": key, "UploadId": s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]}

    def part(number, body):
        return {"PartNumber": number, "ETag": s3.upload_part(**upload, PartNumber=number, Body=body)["ETag"]}

    def complete(*parts):
        return s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": list(parts)})

    last = part(7, b"the end")
    part(3, b"x")
    first = part(3, b"a" * 5 * 1024**2)
    small = part(5, b"small")
    equal([listed["PartNumber"] for listed in s3.list_parts(**upload)["Parts"]], [3, 5, 7])
    refused("InvalidPartOrder", 400, complete, last, first)
    refused("EntityTooSmall", 400, complete, first, small, last)
    refused("InvalidPart", 400, complete, first, {**last, "ETag": f'"{"0" * 32}"'})
    complete(first, last)
    found = s3.get_object(Bucket=BUCKET, Key=key)
    equal(found["ContentLength"], 5 * 1024**2 + 7)
    assert found["Body"].read().endswith(b"aathe end")
    refused("NoSuchUpload", 404, s3.list_parts, **upload)


@check("an abort deletes the upload and its parts, and the key's object stays")
def _():
    put("parts/kept", b"kept")
    upload_id = s3.create_multipart_upload(Bucket=BUCKET, Key="parts/kept")["UploadId"]
    upload = {"Bucket": BUCKET, "Key": "parts/kept", "UploadId": upload_id}
    s3.upload_part(**upload, PartNumber=1, Body=b"x")
    s3.abort_multipart_upload(**upload)
    refused("NoSuchUpload", 404, s3.upload_part, **upload, PartNumber=2, Body=b"x")
    equal(s3.get_object(Bucket=BUCKET, Key="parts/kept")["Body"].read(), b"kept")


def _downloaded(key):
    target = f"{SITE['scratch']}/{uuid.uuid4().hex}"
    s3.download_file(BUCKET, key, target)
    with open(target, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
