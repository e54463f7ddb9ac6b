"""Tokens of Amazon RDS by AWS's own signer, one for each line: host, port, user, region, key id, secret, session token
and seconds since 1970, separated by tabs."""

import datetime
import sys
from unittest import mock

import botocore.session
from botocore.signers import generate_db_auth_token

for line in sys.stdin.read().splitlines():
    host, port, user, region, key_id, secret, token, now = line.split("\t")
    client = botocore.session.Session().create_client(
        "rds",
        region_name=region,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        aws_session_token=token or None,
    )
    moment = datetime.datetime.fromtimestamp(int(now), datetime.timezone.utc).replace(tzinfo=None)
    with mock.patch("botocore.auth.get_current_datetime", lambda *_, **__: moment):
        print(generate_db_auth_token(client, host, int(port), user))
