"""minio, s3fs, smart_open and pyarrow: Python's other clients of S3. Arguments as boto.py's."""

import hashlib
import io
import json
import os
import sys
import urllib.request

import minio
import s3fs
import smart_open
from minio.deleteobjects import DeleteObject
from pyarrow import fs
from report import check, equal

LARGE_FILE, KEYS_FILE = sys.argv[1:]
# Paths of files: these packages take the rest for folders, or refuse it.
KEYS = [
    key
    for key in json.load(open(KEYS_FILE))
    if "//" not in key and "./" not in key and not key.startswith("/") and not key.endswith("/") and key.isprintable()
]
BUCKET = "clients-python"
ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
HOST = ENDPOINT.removeprefix("http://")
SECRETS = (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
LARGE = open(LARGE_FILE, "rb").read()
DIGEST = hashlib.sha256(LARGE).hexdigest()

client = minio.Minio(HOST, *SECRETS, secure=False)


def empty():
    """Deletes all objects of the bucket."""
    keys = [DeleteObject(item.object_name) for item in client.list_objects(BUCKET, recursive=True)]
    equal([str(error) for error in client.remove_objects(BUCKET, keys)], [])
    equal(list(client.list_objects(BUCKET)), [])


@check("minio: odd keys, 60 MB in parts, remove_objects")
def _():
    client.make_bucket(BUCKET)
    for key in KEYS:
        client.put_object(BUCKET, key, io.BytesIO(key.encode()), len(key.encode()))
        equal(client.get_object(BUCKET, key).read(), key.encode())
    client.put_object(BUCKET, "large", io.BytesIO(LARGE), -1, part_size=8 * 1024 * 1024)
    equal(hashlib.sha256(client.get_object(BUCKET, "large").read()).hexdigest(), DIGEST)
    empty()


@check("s3fs: odd keys, 60 MB, copy, move, listing, recursive delete")
def _():
    files = s3fs.S3FileSystem(endpoint_url=ENDPOINT)
    # It takes the others for patterns.
    keys = [key for key in KEYS if not set(key) & set("[*?")]
    for key in keys:
        files.pipe(f"{BUCKET}/odd/{key}", key.encode())
        equal(files.cat(f"{BUCKET}/odd/{key}"), key.encode())
    equal(sorted(files.find(f"{BUCKET}/odd")), sorted(f"{BUCKET}/odd/{key}" for key in keys))
    files.put(LARGE_FILE, f"{BUCKET}/large")
    files.copy(f"{BUCKET}/large", f"{BUCKET}/copied")
    files.mv(f"{BUCKET}/copied", f"{BUCKET}/moved")
    equal(hashlib.sha256(files.cat(f"{BUCKET}/moved")).hexdigest(), DIGEST)
    with files.open(f"{BUCKET}/moved", "rb") as file:
        file.seek(-10, 2)
        equal(file.read(), LARGE[-10:])
    url = files.sign(f"{BUCKET}/odd/{keys[0]}")
    equal("X-Amz-Signature" not in url or urllib.request.urlopen(url).read() == keys[0].encode(), True)
    files.rm(f"{BUCKET}/odd", recursive=True)
    empty()


@check("smart_open: writes in parts, reads by ranges")
def _():
    with smart_open.open(f"s3://{BUCKET}/it's smart.txt", "wb") as file:
        file.write(LARGE)
    with smart_open.open(f"s3://{BUCKET}/it's smart.txt", "rb") as file:
        file.seek(1000)
        equal(file.read(10), LARGE[1000:1010])
    empty()


@check("pyarrow: writes in parts, reads, lists, copies, deletes")
def _():
    files = fs.S3FileSystem(
        access_key=SECRETS[0], secret_key=SECRETS[1], endpoint_override=HOST, scheme="http", region="us-east-1"
    )
    with files.open_output_stream(f"{BUCKET}/folder/it's ü+ %.bin") as stream:
        stream.write(LARGE)
    files.copy_file(f"{BUCKET}/folder/it's ü+ %.bin", f"{BUCKET}/folder/copied")
    with files.open_input_file(f"{BUCKET}/folder/copied") as file:
        equal(hashlib.sha256(file.read()).hexdigest(), DIGEST)
    listed = files.get_file_info(fs.FileSelector(BUCKET, recursive=True))
    equal(f"{BUCKET}/folder/it's ü+ %.bin" in [info.path for info in listed], True)
    files.delete_dir_contents(BUCKET)
    empty()
    client.remove_bucket(BUCKET)
