# boto3: two tenants of one bucket, each with its own folder and keys.
import uuid

from boto3.s3.transfer import TransferConfig

from harness import SITE, check, curl, equal, new_client, refused, run_all

SHARED = SITE["bucket"]
MARK = uuid.uuid4().hex[:8]


class Tenant:
    def __init__(self, facts):
        self.name = facts["name"]
        self.s3 = new_client(
            aws_access_key_id=facts["keys"]["accessKeyId"],
            aws_secret_access_key=facts["keys"]["secretAccessKey"],
        )

    def key(self, name):
        return f"{self.name}/{MARK}/{name}"


ONE, OTHER = (Tenant(facts) for facts in SITE["tenants"])
PAIRS = [(ONE, OTHER), (OTHER, ONE)]


@check("each tenant uploads in parts, lists, reads and copies in its own folder")
def _():
    parts = TransferConfig(multipart_threshold=8 * 1024**2)
    for tenant, _other in PAIRS:
        tenant.s3.upload_file(SITE["medium"]["file"], SHARED, tenant.key("medium"), Config=parts)
        source = {"Bucket": SHARED, "Key": tenant.key("medium")}
        tenant.s3.copy_object(Bucket=SHARED, Key=tenant.key("copy"), CopySource=source)
        equal(_keys(tenant, f"{tenant.name}/{MARK}/"), [tenant.key("copy"), tenant.key("medium")])
        equal(tenant.s3.head_object(**source)["ContentLength"], SITE["medium"]["size"])


@check("neither tenant may do any of this in the other's folder")
def _():
    for tenant, other in PAIRS:
        there = {"Bucket": SHARED, "Key": other.key("medium")}
        refused("AccessDenied", 403, tenant.s3.list_objects_v2, Bucket=SHARED, Prefix=f"{other.name}/")
        refused("AccessDenied", 403, tenant.s3.list_objects_v2, Bucket=SHARED)
        refused("AccessDenied", 403, tenant.s3.get_object, **there)
        refused("403", 403, tenant.s3.head_object, **there)
        refused("AccessDenied", 403, tenant.s3.put_object, **there, Body=b"x")
        refused("AccessDenied", 403, tenant.s3.delete_object, **there)
        refused("AccessDenied", 403, tenant.s3.create_multipart_upload, **there)
        refused(
            "AccessDenied", 403, tenant.s3.copy_object, Bucket=SHARED, Key=tenant.key("stolen"), CopySource=there
        )


@check("presigned URLs permit what their signer may do")
def _():
    for tenant, other in PAIRS:
        for key, expected in [(tenant.key("copy"), 200), (other.key("copy"), 403)]:
            url = tenant.s3.generate_presigned_url("get_object", Params={"Bucket": SHARED, "Key": key})
            equal(curl(url, "-o", "/dev/null")[0], expected)


@check("delete_objects deletes only the tenant's own objects")
def _():
    for tenant, other in PAIRS:
        wanted = [{"Key": owner.key(name)} for owner in (tenant, other) for name in ("copy", "medium")]
        result = tenant.s3.delete_objects(Bucket=SHARED, Delete={"Objects": wanted})
        equal({found["Key"] for found in result["Deleted"]}, {tenant.key("copy"), tenant.key("medium")})
        equal({(error["Key"], error["Code"]) for error in result["Errors"]},
              {(other.key(name), "AccessDenied") for name in ("copy", "medium")})


def _keys(tenant, prefix):
    pages = tenant.s3.get_paginator("list_objects_v2").paginate(Bucket=SHARED, Prefix=prefix)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


run_all()
