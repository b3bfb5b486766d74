# boto3's presigned URLs, used by curl as any recipient uses them.
import time

from harness import BUCKET, SITE, check, curl, equal, get, put, refused, s3


def _url(operation, expires=60, **parameters):
    return s3.generate_presigned_url(operation, Params={"Bucket": BUCKET, **parameters}, ExpiresIn=expires)


def _refused(answer, status, code):
    equal(answer[0], status, answer[1])
    assert f"<Code>{code}</Code><Message>".encode() in answer[1], answer[1]


@check("presigned GET, HEAD, list and DELETE requests succeed")
def _():
    put("shared", b"for all to see")
    equal(curl(_url("get_object", Key="shared")), (200, b"for all to see"))
    equal(curl(_url("head_object", Key="shared"), "--head", "-o", "/dev/null")[0], 200)
    status, listed = curl(_url("list_objects_v2", Prefix="shared"))
    equal(status, 200)
    assert b"<Key>shared</Key>" in listed, listed
    equal(curl(_url("delete_object", Key="shared"), "-X", "DELETE")[0], 204)
    _refused(curl(_url("get_object", Key="shared")), 404, "NoSuchKey")


@check("a presigned PUT accepts a body and requires the signed Content-Type")
def _():
    url = _url("put_object", Key="by url & é", ContentType="text/plain", Metadata={"color": "blue"})
    upload = ["-T", SITE["mebibyte"]["file"], "-H", "x-amz-meta-color: blue"]
    equal(curl(url, *upload, "-H", "Content-Type: text/plain")[0], 200)
    head = s3.head_object(Bucket=BUCKET, Key="by url & é")
    equal(head["ETag"], f'"{SITE["mebibyte"]["md5"]}"')
    equal(head["ContentType"], "text/plain")
    equal(head["Metadata"], {"color": "blue"})
    _refused(curl(url, *upload, "-H", "Content-Type: text/html"), 403, "SignatureDoesNotMatch")


@check("parts are uploaded by presigned URLs, one each, and the object is completed without them")
def _():
    key = "by url/parts"
    upload = {"Key": key, "UploadId": s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]}
    first, last = SITE["bodies"][2]["file"] + "-part", SITE["mebibyte"]["file"]
    with open(first, "wb") as file:
        file.write(b"p" * 5 * 1024**2)
    for number, file in [(1, first), (2, last)]:
        url = _url("upload_part", **upload, PartNumber=number)
        equal(curl(url, "-T", file)[0], 200)
        _refused(curl(url.replace("partNumber=", "partNumber=1"), "-T", last), 403, "SignatureDoesNotMatch")
    listed = s3.list_parts(Bucket=BUCKET, **upload)["Parts"]
    parts = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in listed]
    s3.complete_multipart_upload(Bucket=BUCKET, **upload, MultipartUpload={"Parts": parts})
    equal(s3.head_object(Bucket=BUCKET, Key=key)["ContentLength"], 5 * 1024**2 + SITE["mebibyte"]["size"])


@check("an expired, a tampered and a wrongly used URL are refused")
def _():
    put("guarded", b"x")
    short = _url("get_object", expires=1, Key="guarded")
    url = _url("get_object", Key="guarded")
    _refused(curl(url.replace("/guarded", "/other")), 403, "SignatureDoesNotMatch")
    _refused(curl(url, "-T", SITE["bodies"][1]["file"]), 403, "SignatureDoesNotMatch")
    _refused(curl(url, "-X", "DELETE"), 403, "SignatureDoesNotMatch")
    _refused(curl(url.split("?")[0]), 403, "AccessDenied")
    equal(get("guarded"), b"x")
    time.sleep(2)
    _refused(curl(short), 403, "AccessDenied")


@check("URLs of old signature versions are refused")
def _():
    from botocore.config import Config
    from harness import new_client

    put("old", b"x")
    old = new_client(config=Config(signature_version="s3"))
    url = old.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "old"})
    _refused(curl(url), 400, "InvalidRequest")
    refused("InvalidRequest", 400, old.get_object, Bucket=BUCKET, Key="old")
