# boto3: tags of objects, and what get_object_attributes tells.
from harness import BUCKET, OVER_TLS, SITE, check, equal, put, refused, s3

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


@check("a copy takes its source's tags or is given others", when=not OVER_TLS)
def _():
    s3.put_object_tagging(**HERE, Tagging={"TagSet": [{"Key": "color", "Value": "blue"}]})
    s3.copy_object(Bucket=BUCKET, Key="tagged/copy", CopySource=HERE)
    equal(_tags("tagged/copy"), {"color": "blue"})
    s3.copy_object(
        Bucket=BUCKET, Key="tagged/copy", CopySource=HERE, TaggingDirective="REPLACE", Tagging="color=green"
    )
    equal(_tags("tagged/copy"), {"color": "green"})


@check("more than ten tags, one key twice, odd characters and an absent key are refused", when=not OVER_TLS)
def _():
    many = [{"Key": str(number), "Value": "x"} for number in range(11)]
    refused("BadRequest", 400, s3.put_object_tagging, **HERE, Tagging={"TagSet": many})
    refused("InvalidTag", 400, s3.put_object_tagging, **HERE, Tagging={"TagSet": [many[0], many[0]]})
    refused("InvalidTag", 400, s3.put_object_tagging, **HERE, Tagging={"TagSet": [{"Key": "k", "Value": "<&>"}]})
    refused("NoSuchKey", 404, s3.get_object_tagging, Bucket=BUCKET, Key="never-put")
    equal(_tags(), {"color": "blue"})


@check("get_object_attributes tells size and ETag, and of an object in parts how many they are", when=not OVER_TLS)
def _():
    wanted = ["ETag", "ObjectSize", "StorageClass", "ObjectParts"]
    whole = put(HERE["Key"], b"0123456789")
    told = s3.get_object_attributes(**HERE, ObjectAttributes=wanted)
    # Without the quotes that it has everywhere else.
    equal((f'"{told["ETag"]}"', told["ObjectSize"], told["StorageClass"]), (whole["ETag"], 10, "STANDARD"))
    assert "ObjectParts" not in told
    s3.upload_file(SITE["medium"]["file"], BUCKET, "tagged/parts")
    told = s3.get_object_attributes(Bucket=BUCKET, Key="tagged/parts", ObjectAttributes=wanted)
    equal((told["ObjectSize"], told["ObjectParts"]["TotalPartsCount"]), (SITE["medium"]["size"], 3))


def _tags(key=HERE["Key"]):
    found = s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]
    return {tag["Key"]: tag["Value"] for tag in found}
