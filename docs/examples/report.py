"""Reports a problem and prints this week's figures. Needs nothing but Python 3.

FRONTLINE_URL=http://localhost:8080 FRONTLINE_TOKEN=... python3 report.py "行情不刷新"
"""
import json
import os
import sys
import urllib.error
import urllib.request
import uuid


def call(method, path, body=None, **headers):
    req = urllib.request.Request(
        os.environ["FRONTLINE_URL"] + "/api/v1" + path,
        method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Authorization": "Bearer " + os.environ["FRONTLINE_TOKEN"], **headers},
    )
    try:
        with urllib.request.urlopen(req, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as err:  # problem JSON, RFC 9457
        sys.exit(f"{method} {path}: {json.load(err)['detail']}")


# With the same key the same call again answers with the same ticket.
ticket = call("POST", "/tickets", {"text": sys.argv[1]}, **{"Idempotency-Key": str(uuid.uuid4())})
print(f"T{ticket['number']} {ticket['title']} ({ticket['priority']})")
week = call("GET", "/stats?period=week")
print(f"{week['from']} to {week['to']}: {week['tickets']['reported']} tickets, {week['questions']['asked']} questions, {week['questions']['solved_true']} solved")
