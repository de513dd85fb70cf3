"""boto3: S3 of the run's endpoint. Arguments: a file of 60 MB, a JSON file with odd keys."""

import base64
import hashlib
import json
import os
import sys
import urllib.error
import urllib.request
import zlib

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError
from report import check, contains, equal

LARGE_FILE, KEYS_FILE = sys.argv[1:]
KEYS = json.load(open(KEYS_FILE))
BUCKET = "clients-boto3"
COPIES = "clients-boto3-copies"
MB = 1024 * 1024
KEY_ID = os.environ["AWS_ACCESS_KEY_ID"]

s3 = boto3.client("s3")
# boto3 signs URLs and forms by SigV2 otherwise.
signer = boto3.client("s3", config=Config(signature_version="s3v4"))


def refused(code, status, call):
    """Makes a call that has to be refused with this code and status. Returns the answer."""
    try:
        call()
    except ClientError as error:
        answer = error.response
        equal([answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]], [code, status], "error")
        return answer
    raise AssertionError(f"expected the error {code}, got an answer")


def kept_or_refused(put, kept, code="NotImplemented"):
    """A put with a part that the run may not serve: kept and given back, or refused, never dropped."""
    try:
        put()
    except ClientError as error:
        equal(error.response["Error"]["Code"], code, "error")
        return
    kept()


def all_keys(operation, **arguments):
    """The keys of all pages of a listing, each key as it is sent."""
    field = "Contents"
    pages = s3.get_paginator(operation).paginate(Bucket=BUCKET, **arguments)
    return [item["Key"] for page in pages for item in page.get(field, [])]


def request(url, method="GET", body=None, headers=None):
    """Sends a request as any HTTP client does. Returns the status, the headers and the body."""
    sent = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(sent) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@check("buckets: create, head, location, list")
def _():
    for bucket in (BUCKET, COPIES):
        s3.create_bucket(Bucket=bucket)
    head = s3.head_bucket(Bucket=BUCKET)
    equal(head["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region"), s3.meta.region_name)
    equal(s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"], None)
    equal(BUCKET in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]], True)
    equal(s3.get_bucket_versioning(Bucket=BUCKET).get("Status"), None)
    refused("404", 404, lambda: s3.head_bucket(Bucket="clients-lacking"))


for key in KEYS:

    @check(f"the key {json.dumps(key)}: put, head, get, copy")
    def _():
        body = key.encode()
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        equal(s3.head_object(Bucket=BUCKET, Key=key)["ContentLength"], len(body))
        equal(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read(), body)
        source = {"Bucket": BUCKET, "Key": key}
        s3.copy_object(Bucket=COPIES, Key=key, CopySource=source)
        equal(s3.get_object(Bucket=COPIES, Key=key)["Body"].read(), body, "copy")


@check("lists: all odd keys in order of their bytes, by pages of three")
def _():
    expected = sorted(KEYS, key=lambda key: key.encode())
    config = {"PageSize": 3}
    equal(all_keys("list_objects_v2", PaginationConfig=config), expected, "ListObjectsV2")
    equal(all_keys("list_objects", PaginationConfig=config), expected, "ListObjects")


@check("lists: prefix, delimiter, start-after, owner, max-keys")
def _():
    page = s3.list_objects_v2(Bucket=BUCKET, Prefix="folder/", Delimiter="/", FetchOwner=True)
    equal([item["Key"] for item in page["Contents"]], ["folder/"])
    equal(page["CommonPrefixes"], [{"Prefix": "folder/ü/"}])
    equal("Owner" in page["Contents"][0], True, "Owner")
    equal(all_keys("list_objects_v2", StartAfter="日")[0] > "日", True)
    empty = s3.list_objects_v2(Bucket=BUCKET, MaxKeys=0)
    equal([empty["KeyCount"], empty["IsTruncated"]], [0, False])
    refused("InvalidArgument", 400, lambda: s3.list_objects_v2(Bucket=BUCKET, ContinuationToken="no token"))


@check("DeleteObjects: all odd keys")
def _():
    # botocore writes this one into its XML as it is, which AWS refuses as well.
    bell = [key for key in KEYS if "\u0007" in key]
    keys = [key for key in KEYS if key not in bell]
    for bucket in (BUCKET, COPIES):
        for key in bell:
            s3.delete_object(Bucket=bucket, Key=key)
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
        equal(answer.get("Errors", []), [])
        equal(sorted(item["Key"] for item in answer["Deleted"]), sorted(keys))
        equal(s3.list_objects_v2(Bucket=bucket)["KeyCount"], 0)


@check("60 MB in parts: upload, download, copy, parts, ranges")
def _():
    config = TransferConfig(multipart_threshold=8 * MB, multipart_chunksize=8 * MB)
    digest = hashlib.sha256(open(LARGE_FILE, "rb").read()).hexdigest()
    s3.upload_file(LARGE_FILE, BUCKET, "large.bin", Config=config)
    contains(s3.head_object(Bucket=BUCKET, Key="large.bin")["ETag"], "-8")
    s3.download_file(BUCKET, "large.bin", f"{LARGE_FILE}.boto3", Config=config)
    equal(hashlib.sha256(open(f"{LARGE_FILE}.boto3", "rb").read()).hexdigest(), digest)
    part = s3.get_object(Bucket=BUCKET, Key="large.bin", PartNumber=2)
    equal([part["ContentLength"], part["PartsCount"]], [8 * MB, 8])
    contains(part["ContentRange"], f"bytes {8 * MB}-{16 * MB - 1}/")
    equal(s3.head_object(Bucket=BUCKET, Key="large.bin", PartNumber=8)["PartsCount"], 8)
    refused("InvalidPartNumber", 416, lambda: s3.get_object(Bucket=BUCKET, Key="large.bin", PartNumber=9))
    s3.copy({"Bucket": BUCKET, "Key": "large.bin"}, COPIES, "large copy.bin", Config=config)
    copy = s3.get_object(Bucket=COPIES, Key="large copy.bin")["Body"].read()
    equal(hashlib.sha256(copy).hexdigest(), digest, "copy")


@check("a multipart upload: lists of uploads and parts, abort")
def _():
    name = {"Bucket": BUCKET, "Key": "it's unfinished & odd.bin"}
    upload = s3.create_multipart_upload(**name)["UploadId"]
    part = s3.upload_part(**name, UploadId=upload, PartNumber=1, Body=b"part")
    uploads = s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    equal([(item["Key"], item["UploadId"]) for item in uploads], [(name["Key"], upload)])
    parts = s3.list_parts(**name, UploadId=upload)["Parts"]
    equal([(item["PartNumber"], item["Size"], item["ETag"]) for item in parts], [(1, 4, part["ETag"])])
    s3.abort_multipart_upload(**name, UploadId=upload)
    equal(s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []), [])
    refused("NoSuchUpload", 404, lambda: s3.list_parts(**name, UploadId=upload))


@check("CompleteMultipartUpload: small, missing and unordered parts are refused")
def _():
    name = {"Bucket": BUCKET, "Key": "parts.bin"}
    upload = s3.create_multipart_upload(**name)["UploadId"]
    tags = [s3.upload_part(**name, UploadId=upload, PartNumber=number, Body=b"part")["ETag"] for number in (1, 2)]
    parts = [{"PartNumber": number + 1, "ETag": tag} for number, tag in enumerate(tags)]

    def complete(parts):
        return lambda: s3.complete_multipart_upload(**name, UploadId=upload, MultipartUpload={"Parts": parts})

    refused("EntityTooSmall", 400, complete(parts))
    refused("InvalidPartOrder", 400, complete(parts[::-1]))
    refused("InvalidPart", 400, complete([{"PartNumber": 3, "ETag": tags[0]}]))
    complete(parts[1:])()


@check("metadata and headers come back")
def _():
    headers = {
        "ContentType": "text/plain; charset=utf-8",
        "ContentDisposition": "attachment; filename=\"a b.txt\"; filename*=UTF-8''%C3%BC.txt",
        "ContentLanguage": "de",
        "ContentEncoding": "identity",
        "CacheControl": "max-age=60, private",
        "Metadata": {"color": "blue, green", "path": "a/b=c"},
    }
    s3.put_object(Bucket=BUCKET, Key="described", Body=b"x", **headers)
    for answer in (s3.head_object(Bucket=BUCKET, Key="described"), s3.get_object(Bucket=BUCKET, Key="described")):
        equal({name: answer.get(name) for name in headers}, headers)
    copied = {"Bucket": BUCKET, "Key": "described copy", "CopySource": f"{BUCKET}/described"}
    s3.copy_object(**copied)
    equal(s3.head_object(Bucket=BUCKET, Key="described copy")["Metadata"], headers["Metadata"], "copied")
    s3.copy_object(**copied, MetadataDirective="REPLACE", Metadata={"new": "1"})
    equal(s3.head_object(Bucket=BUCKET, Key="described copy")["Metadata"], {"new": "1"}, "replaced")
    refused("MetadataTooLarge", 400, lambda: s3.put_object(Bucket=BUCKET, Key="x", Metadata={"a": "b" * 3000}))


@check("tags, storage class, Expires and redirect are kept or refused")
def _():
    name = {"Bucket": BUCKET, "Key": "kept"}
    tags = [{"Key": "a", "Value": "1 2"}]
    equal(s3.get_object_tagging(Bucket=BUCKET, Key="described")["TagSet"], [])
    kept_or_refused(
        lambda: s3.put_object(**name, Body=b"x", Tagging="a=1%202"),
        lambda: equal(s3.get_object_tagging(**name)["TagSet"], tags),
    )
    kept_or_refused(
        lambda: s3.put_object_tagging(Bucket=BUCKET, Key="described", Tagging={"TagSet": tags}),
        lambda: equal(s3.get_object_tagging(Bucket=BUCKET, Key="described")["TagSet"], tags),
    )
    equal(s3.get_object(Bucket=BUCKET, Key="described")["Body"].read(), b"x", "the tagged object")
    kept_or_refused(
        lambda: s3.put_object(**name, Body=b"x", StorageClass="STANDARD_IA"),
        lambda: equal(s3.head_object(**name)["StorageClass"], "STANDARD_IA"),
    )
    kept_or_refused(
        lambda: s3.put_object(**name, Body=b"x", WebsiteRedirectLocation="/other"),
        lambda: equal(s3.head_object(**name)["WebsiteRedirectLocation"], "/other"),
    )
    kept_or_refused(
        lambda: s3.put_object(**name, Body=b"x", ACL="public-read"),
        lambda: equal(len(s3.get_object_acl(**name)["Grants"]), 2),
        # As by buckets whose owner owns all objects, which is the default of AWS.
        "AccessControlListNotSupported",
    )
    kept_or_refused(
        lambda: s3.put_object(**name, Body=b"x", Expires="Thu, 01 Dec 2033 16:00:00 GMT"),
        lambda: equal(s3.head_object(**name)["ExpiresString"], "Thu, 01 Dec 2033 16:00:00 GMT"),
    )


@check("checksums of each algorithm: stored, returned, a wrong one refused")
def _():
    for algorithm in ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"):
        field = f"Checksum{algorithm}"
        key = f"checksum-{algorithm}"
        put = s3.put_object(Bucket=BUCKET, Key=key, Body=b"checked", ChecksumAlgorithm=algorithm)
        got = s3.get_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
        equal([bool(put.get(field)), got.get(field), got["Body"].read()], [True, put.get(field), b"checked"], algorithm)
        wrong = {field: s3.put_object(Bucket=BUCKET, Key="other", Body=b"other", ChecksumAlgorithm=algorithm)[field]}
        refused("BadDigest", 400, lambda: s3.put_object(Bucket=BUCKET, Key=key, Body=b"checked", **wrong))
        attributes = s3.get_object_attributes(Bucket=BUCKET, Key=key, ObjectAttributes=["Checksum"])
        equal(attributes["Checksum"].get(field), put[field], algorithm)


@check("checksums over parts: composite and of the full object")
def _():
    for algorithm, kind in (("SHA256", "COMPOSITE"), ("CRC32C", "COMPOSITE"), ("CRC64NVME", "FULL_OBJECT"), ("CRC32", "FULL_OBJECT")):
        name = {"Bucket": BUCKET, "Key": f"parts-{algorithm}"}
        field = f"Checksum{algorithm}"
        created = s3.create_multipart_upload(**name, ChecksumAlgorithm=algorithm, ChecksumType=kind)
        equal([created.get("ChecksumAlgorithm"), created.get("ChecksumType")], [algorithm, kind])
        upload = {**name, "UploadId": created["UploadId"]}
        bodies = [b"a" * 5 * MB, b"end"]
        answers = [
            s3.upload_part(**upload, PartNumber=number + 1, Body=body, ChecksumAlgorithm=algorithm)
            for number, body in enumerate(bodies)
        ]
        parts = [
            {"PartNumber": number + 1, "ETag": answer["ETag"], field: answer[field]}
            for number, answer in enumerate(answers)
        ]
        done = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        equal([done.get("ChecksumType"), done.get(field, "").endswith("-2")], [kind, kind == "COMPOSITE"], algorithm)
        if algorithm == "CRC32":
            whole = zlib.crc32(b"".join(bodies)).to_bytes(4, "big")
            equal(done[field], base64.b64encode(whole).decode())
        equal(s3.head_object(**name, ChecksumMode="ENABLED").get(field), done.get(field), algorithm)


@check("conditions: writes, reads, copies, deletes")
def _():
    name = {"Bucket": BUCKET, "Key": "conditional"}
    tag = s3.put_object(**name, Body=b"1", IfNoneMatch="*")["ETag"]
    refused("PreconditionFailed", 412, lambda: s3.put_object(**name, Body=b"2", IfNoneMatch="*"))
    refused("PreconditionFailed", 412, lambda: s3.put_object(**name, Body=b"2", IfMatch='"no"'))
    refused("304", 304, lambda: s3.get_object(**name, IfNoneMatch=tag))
    refused("304", 304, lambda: s3.head_object(**name, IfNoneMatch=tag))
    refused("PreconditionFailed", 412, lambda: s3.get_object(**name, IfMatch='"no"'))
    refused("412", 412, lambda: s3.head_object(**name, IfMatch='"no"'))
    copy = {"Bucket": BUCKET, "Key": "conditional copy", "CopySource": name}
    refused("PreconditionFailed", 412, lambda: s3.copy_object(**copy, CopySourceIfMatch='"no"'))
    refused("InvalidRequest", 400, lambda: s3.copy_object(**name, CopySource=name))
    equal(s3.put_object(**name, Body=b"3", IfMatch=tag)["ETag"] != tag, True)
    equal(s3.get_object(**name, Range="bytes=0-0")["ContentRange"], "bytes 0-0/1")
    refused("InvalidRange", 416, lambda: s3.get_object(**name, Range="bytes=5-"))


@check("presigned: GET with response headers, PUT, other methods and changes refused")
def _():
    key = "presigned ü+&.txt"
    url = signer.generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": key, "ContentType": "text/plain"})
    equal(request(url, "PUT", b"signed", {"content-type": "text/plain"})[0], 200)
    equal(request(url, "PUT", b"signed", {"content-type": "text/html"})[0], 403)
    override = {"ResponseContentDisposition": 'attachment; filename="ü.txt"'}
    url = signer.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": key, **override})
    status, headers, body = request(url)
    equal([status, body], [200, b"signed"])
    contains(headers["content-disposition"], "attachment; filename=")
    equal(request(url, "DELETE")[0], 403)
    status, _, body = request(f"{url}0")
    equal(status, 403)
    contains(body.decode(), "<Code>SignatureDoesNotMatch</Code>")


@check("presigned by SigV2, boto3's default in us-east-1: told in S3's own words")
def _():
    url = boto3.client("s3", region_name="us-east-1").generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "described"})
    if "X-Amz-Signature" in url:
        return
    status, _, body = request(url)
    equal(status, 400)
    contains(body.decode(), "AWS4-HMAC-SHA256")


@check("a presigned POST form")
def _():
    post = signer.generate_presigned_post(BUCKET, "form/${filename}", Conditions=[["content-length-range", 1, 100]])
    boundary = "boundary-of-clients"
    fields = [*post["fields"].items()]
    body = "".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields)
    body += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a b.txt"\r\n\r\ncontent\r\n--{boundary}--\r\n'
    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
    equal(request(post["url"], "POST", body.encode(), headers)[0], 204)
    equal(s3.get_object(Bucket=BUCKET, Key="form/a b.txt")["Body"].read(), b"content")


@check("errors: NoSuchKey, NoSuchBucket, a wrong secret, an unknown key")
def _():
    refused("NoSuchKey", 404, lambda: s3.get_object(Bucket=BUCKET, Key="lacking"))
    refused("NoSuchBucket", 404, lambda: s3.get_object(Bucket="clients-lacking", Key="lacking"))
    refused("BucketNotEmpty", 409, lambda: s3.delete_bucket(Bucket=BUCKET))
    wrong = boto3.client("s3", aws_access_key_id=KEY_ID, aws_secret_access_key="wrong")
    refused("SignatureDoesNotMatch", 403, lambda: wrong.list_objects_v2(Bucket=BUCKET))
    unknown = boto3.client("s3", aws_access_key_id="AKIAUNKNOWN", aws_secret_access_key="wrong")
    refused("InvalidAccessKeyId", 403, lambda: unknown.list_objects_v2(Bucket=BUCKET))


@check("buckets: emptied and deleted")
def _():
    for bucket in (BUCKET, COPIES):
        boto3.resource("s3").Bucket(bucket).objects.all().delete()
        s3.delete_bucket(Bucket=bucket)
    refused("404", 404, lambda: s3.head_bucket(Bucket=BUCKET))
