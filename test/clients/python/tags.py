# boto3: tags of objects, and get_object_attributes.
import boto3
from harness import BUCKET, OVER_TLS, SITE, check, equal, put, refused, s3

control = boto3.client(
    "s3control",
    endpoint_url=SITE["endpoint"],
    region_name=SITE["region"],
    aws_access_key_id=SITE["accessKeyId"],
    aws_secret_access_key=SITE["secretAccessKey"],
)
# Older versions of boto3 have no tags in S3 Control.
HAS_RESOURCE_TAGS = hasattr(control, "list_tags_for_resource")
HERE = {"Bucket": BUCKET, "Key": "tagged &+é"}


@check("tags are put with an object and after it, read, counted and deleted", when=not OVER_TLS)
def _():
    put(HERE["Key"], Tagging="color=blue&a%20b=%C3%A9%20%2B%20%2F%40")
    equal(_tags(), {"color": "blue", "a b": "é + /@"})
    equal(s3.get_object(**HERE)["TagCount"], 2)
    etag = s3.head_object(**HERE)["ETag"]
    s3.put_object_tagging(**HERE, Tagging={"TagSet": [{"Key": "only: _.-=", "Value": ""}]})
    equal(_tags(), {"only: _.-=": ""})
    equal(s3.head_object(**HERE)["ETag"], etag)
    s3.delete_object_tagging(**HERE)
    equal(_tags(), {})
    assert "TagCount" not in s3.get_object(**HERE)


@check("a copy has its source's tags or those of the request", when=not OVER_TLS)
def _():
    s3.put_object_tagging(**HERE, Tagging={"TagSet": [{"Key": "color", "Value": "blue"}]})
    s3.copy_object(Bucket=BUCKET, Key="tagged/copy", CopySource=HERE)
    equal(_tags("tagged/copy"), {"color": "blue"})
    s3.copy_object(
        Bucket=BUCKET, Key="tagged/copy", CopySource=HERE, TaggingDirective="REPLACE", Tagging="color=green"
    )
    equal(_tags("tagged/copy"), {"color": "green"})


@check("more than ten tags, a repeated key, odd characters and a missing object are refused", when=not OVER_TLS)
def _():
    many = [{"Key": str(number), "Value": "x"} for number in range(11)]
    refused("BadRequest", 400, s3.put_object_tagging, **HERE, Tagging={"TagSet": many})
    refused("InvalidTag", 400, s3.put_object_tagging, **HERE, Tagging={"TagSet": [many[0], many[0]]})
    refused("InvalidTag", 400, s3.put_object_tagging, **HERE, Tagging={"TagSet": [{"Key": "k", "Value": "<&>"}]})
    refused("NoSuchKey", 404, s3.get_object_tagging, Bucket=BUCKET, Key="never-put")
    equal(_tags(), {"color": "blue"})


@check("get_object_attributes returns size and ETag, and the number of parts of a multipart object", when=not OVER_TLS)
def _():
    wanted = ["ETag", "ObjectSize", "StorageClass", "ObjectParts"]
    whole = put(HERE["Key"], b"0123456789")
    result = s3.get_object_attributes(**HERE, ObjectAttributes=wanted)
    # Without the quotes that it has everywhere else.
    equal((f'"{result["ETag"]}"', result["ObjectSize"], result["StorageClass"]), (whole["ETag"], 10, "STANDARD"))
    assert "ObjectParts" not in result
    s3.upload_file(SITE["medium"]["file"], BUCKET, "tagged/parts")
    result = s3.get_object_attributes(Bucket=BUCKET, Key="tagged/parts", ObjectAttributes=wanted)
    equal((result["ObjectSize"], result["ObjectParts"]["TotalPartsCount"]), (SITE["medium"]["size"], 3))


@check("S3 Control sets, lists and removes tags of a bucket", when=HAS_RESOURCE_TAGS and not OVER_TLS)
def _():
    account = "000000000000"
    def without_account(request, **_):
        # boto3 puts the account in front of the endpoint's host, which has no such name.
        request.url = request.url.replace(f"//{account}.", "//", 1)

    control.meta.events.register("before-sign.s3-control", without_account)
    resource = {"AccountId": account, "ResourceArn": f"arn:aws:s3:::{BUCKET}"}

    def listed():
        return {tag["Key"]: tag["Value"] for tag in control.list_tags_for_resource(**resource)["Tags"]}

    equal(listed(), {})
    control.tag_resource(**resource, Tags=[{"Key": "a b", "Value": "é"}, {"Key": "c", "Value": ""}])
    control.tag_resource(**resource, Tags=[{"Key": "c", "Value": "1"}, {"Key": "d", "Value": "2"}])
    equal(listed(), {"a b": "é", "c": "1", "d": "2"})
    control.untag_resource(**resource, TagKeys=["a b", "d"])
    equal(listed(), {"c": "1"})
    control.untag_resource(**resource, TagKeys=["c"])
    equal(listed(), {})


def _tags(key=HERE["Key"]):
    found = s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]
    return {tag["Key"]: tag["Value"] for tag in found}
