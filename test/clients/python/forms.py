# boto3's presigned forms, filled in and sent by curl as a browser would.
from harness import BUCKET, SITE, check, curl, equal, get, s3


def _form(key, fields=None, conditions=None, expires=60):
    return s3.generate_presigned_post(BUCKET, key, Fields=fields, Conditions=conditions, ExpiresIn=expires)


def _send(form, file, **changed):
    fields = {**form["fields"], **changed}
    arguments = [part for name, value in fields.items() for part in ("--form-string", f"{name}={value}")]
    return curl(form["url"], *arguments, "-F", f"file=@{file}")


def _refused(answer, status, code, text=b""):
    equal(answer[0], status, answer[1])
    assert f"<Code>{code}</Code><Message>".encode() in answer[1] and text in answer[1], answer[1]


@check("a presigned form uploads files of any size, with the metadata of its fields")
def _():
    for body in [*SITE["bodies"], SITE["medium"]]:
        fields = {"Content-Type": "text/x-form", "x-amz-meta-size": str(body["size"])}
        conditions = [{name: value} for name, value in fields.items()]
        form = _form(f"form/{body['label']}", fields, conditions)
        equal(_send(form, body["file"]), (204, b""))
        head = s3.head_object(Bucket=BUCKET, Key=f"form/{body['label']}")
        equal(head["ETag"], f'"{body["md5"]}"')
        equal(head["ContentLength"], body["size"])
        equal(head["ContentType"], "text/x-form")
        equal(head["Metadata"], {"size": str(body["size"])})


@check("a presigned form inserts the file's name into its key")
def _():
    form = _form("uploads/${filename}", {"success_action_status": "201"}, [{"success_action_status": "201"}])
    status, answer = _send(form, SITE["bodies"][1]["file"])
    equal(status, 201)
    name = SITE["bodies"][1]["file"].rsplit("/", 1)[1]
    assert f"<Key>uploads/{name}</Key>".encode() in answer, answer
    equal(len(get(f"uploads/{name}")), 1)


@check("a presigned form permits exactly what it was signed for")
def _():
    file = SITE["bodies"][1]["file"]
    form = _form("form/one", conditions=[["content-length-range", 2, 1000]])
    _refused(_send(form, file), 400, "EntityTooSmall")
    _refused(_send(form, SITE["mebibyte"]["file"]), 400, "EntityTooLarge")
    _refused(_send(form, file, key="form/two"), 403, "AccessDenied", b"Policy Condition failed")
    _refused(_send(form, file, acl="private"), 403, "AccessDenied", b"Extra input fields: acl")
    _refused(_send(form, file, policy=form["fields"]["policy"][:-4]), 403, "SignatureDoesNotMatch")
    _refused(_send(_form("form/one", expires=-1), file), 403, "AccessDenied", b"Policy expired")
    _refused(_send({"url": form["url"], "fields": {"key": "form/one"}}, file), 403, "AccessDenied")
