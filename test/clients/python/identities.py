# boto3: users, access keys and temporary credentials, and what they may do.
import json
import uuid

import boto3
from botocore.config import Config

from harness import BUCKET, OVER_TLS, SITE, check, equal, new_client, put, refused

USER = f"boto3-{uuid.uuid4().hex[:8]}"


def service(name, **changed):
    """Root's client of a service at the same endpoint."""
    settings = {
        "endpoint_url": SITE["endpoint"],
        "region_name": SITE["region"],
        "aws_access_key_id": SITE["root"]["accessKeyId"],
        "aws_secret_access_key": SITE["root"]["secretAccessKey"],
        "verify": SITE["caFile"],
        "config": Config(retries={"total_max_attempts": 1}),
    }
    return boto3.client(name, **{**settings, **changed})


def allow(actions, resource):
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}]}
    )


def keys_of(credentials):
    """Credentials as IAM or STS answers them, as a client takes them."""
    token = credentials.get("SessionToken")
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        **({} if token is None else {"aws_session_token": token}),
    }


@check("a user exists from create_user to delete_user", when=not OVER_TLS)
def _():
    iam = service("iam")
    made = iam.create_user(UserName=USER, Path="/b/", Tags=[{"Key": "team", "Value": "é"}])["User"]
    shown = iam.get_user(UserName=USER)["User"]
    equal(shown, made)
    equal((shown["Path"], shown["Tags"]), ("/b/", [{"Key": "team", "Value": "é"}]))
    put("identities/x")
    key = iam.create_access_key(UserName=USER)["AccessKey"]
    own = new_client(**keys_of(key))
    refused("AccessDenied", 403, own.get_object, Bucket=BUCKET, Key="identities/x")
    document = allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/identities/*")
    iam.put_user_policy(UserName=USER, PolicyName="read", PolicyDocument=document)
    equal(iam.get_user_policy(UserName=USER, PolicyName="read")["PolicyDocument"], json.loads(document))
    equal(own.get_object(Bucket=BUCKET, Key="identities/x")["Body"].read(), b"x")
    refused("AccessDenied", 403, own.put_object, Bucket=BUCKET, Key="identities/x", Body=b"y")
    refused("MalformedPolicyDocument", 400, iam.put_user_policy, UserName=USER, PolicyName="x", PolicyDocument="{}")
    refused("DeleteConflict", 409, iam.delete_user, UserName=USER)
    refused("EntityAlreadyExists", 409, iam.create_user, UserName=USER)
    iam.delete_access_key(UserName=USER, AccessKeyId=key["AccessKeyId"])
    refused("InvalidAccessKeyId", 403, own.get_object, Bucket=BUCKET, Key="identities/x")
    iam.delete_user_policy(UserName=USER, PolicyName="read")
    iam.delete_user(UserName=USER)
    refused("NoSuchEntity", 404, iam.get_user, UserName=USER)


@check("paginators read lists of users to their end", when=not OVER_TLS)
def _():
    iam = service("iam")
    path = f"/{uuid.uuid4().hex[:8]}/"
    names = [f"{USER}-{number}" for number in range(3)]
    for name in names:
        iam.create_user(UserName=name, Path=path)
    pages = iam.get_paginator("list_users").paginate(PathPrefix=path, PaginationConfig={"PageSize": 2})
    equal([user["UserName"] for page in pages for user in page["Users"]], names)
    for name in names:
        iam.delete_user(UserName=name)


@check("a session policy restricts temporary credentials, and deleting their parent's key ends them", when=not OVER_TLS)
def _():
    sts = service("sts")
    equal(sts.get_caller_identity()["Arn"], f"arn:aws:iam::{sts.get_caller_identity()['Account']}:root")
    put("identities/x")
    policy = allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/identities/*")
    role = sts.assume_role(
        RoleArn="arn:aws:iam::000000000000:role/r", RoleSessionName="job", Policy=policy, DurationSeconds=900
    )
    federated = sts.get_federation_token(Name="fed", Policy=policy)
    for answer in (role, federated):
        session = new_client(**keys_of(answer["Credentials"]))
        equal(session.get_object(Bucket=BUCKET, Key="identities/x")["Body"].read(), b"x")
        refused("AccessDenied", 403, session.list_objects_v2, Bucket=BUCKET)
    narrowed = service("iam", **keys_of(federated["Credentials"]))
    refused("AccessDenied", 403, narrowed.list_users)
    session = new_client(**keys_of(sts.get_session_token()["Credentials"]))
    assert session.list_buckets()["Buckets"]
