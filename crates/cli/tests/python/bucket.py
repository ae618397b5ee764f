"""Makes a bucket: bucket.py ENDPOINT NAME. Waits for the server at first."""

import sys
import time

import boto3
from botocore.exceptions import EndpointConnectionError

endpoint, name = sys.argv[1:]
client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret")
for attempt in range(100):
    try:
        client.create_bucket(Bucket=name)
        break
    except EndpointConnectionError:
        time.sleep(0.1)
else:
    sys.exit(f"no server answers at {endpoint}")
