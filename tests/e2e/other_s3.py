#!/usr/bin/env python3
"""A campaign on another make of S3 than the chart's MinIO: versitygw, started on this machine.

It answers by TLS, with a certificate that only its own authority vouches for.

    tests/e2e/other_s3.py --address 10.199.0.1 campaigns/demo.yaml --local runs/demo

ADDRESS is one of this machine at which pods reach it. Every object is held against a store of the same
campaign that a local run has left (``--local``; run here where it is left out).
"""

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from installation import (
    Site,
    call,
    check_same,
    fingerprint,
    local_fingerprint,
    local_run,
    say,
)

from nameplate.campaign import load_campaign
from nameplate.store.s3 import S3Store

NAMESPACE = "nameplate-s3"
PORT = 7070


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("campaign", type=Path)
    parser.add_argument("--address", required=True)
    parser.add_argument("--local", type=Path, help="a store that a local run of it has left")
    parser.add_argument("--keep", action="store_true", help="leave the namespace")
    options = parser.parse_args()
    name = load_campaign(options.campaign).name
    account = {"AWS_ACCESS_KEY_ID": "site", "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16)}
    site = Site(NAMESPACE)
    with tempfile.TemporaryDirectory(prefix="nameplate-versitygw-") as folder:
        certificate, key, data = (Path(folder) / name for name in ("ca.crt", "key.pem", "data"))
        data.mkdir()
        call(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "2", "-subj", "/CN=site", "-addext", f"subjectAltName=IP:{options.address}",
            "-keyout", str(key), "-out", str(certificate),
        )  # fmt: skip
        gateway = subprocess.Popen(
            ["versitygw", "--port", f"{options.address}:{PORT}", "--quiet",
             "--cert", str(certificate), "--key", str(key), "posix", str(data)],
            env={
                **os.environ,
                "ROOT_ACCESS_KEY": account["AWS_ACCESS_KEY_ID"],
                "ROOT_SECRET_KEY": account["AWS_SECRET_ACCESS_KEY"],
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            call("kubectl", "create", "namespace", NAMESPACE)
            site.restrict()
            given = [f"--from-literal={key}={value}" for key, value in account.items()]
            site.kubectl("create", "secret", "generic", "site-s3", *given)
            site.kubectl("create", "configmap", "site-ca", f"--from-file={certificate}")
            endpoint = f"https://{options.address}:{PORT}"
            site.install(
                f"objectStore.endpoint={endpoint}",
                "objectStore.existingSecret=site-s3",
                "objectStore.authority=site-ca",
                f"objectStore.cidrs={{{options.address}/32}}",
                create=False,
            )
            began = time.monotonic()
            workflow = site.submit(name, text=options.campaign.read_text())
            site.finish(workflow, 3600)
            say(f"{name} on versitygw: {time.monotonic() - began:.0f} s")
            command = [sys.executable, "-m", "nameplate_local", "status", name, "-n", NAMESPACE, "--timings"]
            print(subprocess.run(command, capture_output=True, text=True, check=True).stdout, flush=True)
            os.environ.update(account, AWS_ENDPOINT_URL=endpoint, SSL_CERT_FILE=str(certificate))
            remote = fingerprint(S3Store.from_environment(f"s3://nameplate/{name}"))
            local = (
                local_fingerprint(options.local)
                if options.local
                else local_run(options.campaign, Path(folder).with_name(f"{name}-local"))
            )
            check_same(local, remote)
        finally:
            if not options.keep:
                site.remove()
            gateway.terminate()
            gateway.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
