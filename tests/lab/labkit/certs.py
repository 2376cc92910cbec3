"""Keys and certificates made for one recording; private keys never leave its scratch directory."""

import os
import subprocess


def _openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


def authority(folder, subject="/C=SE/O=Shop Lab/CN=Lab signing CA"):
    os.makedirs(folder, exist_ok=True)
    _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder + "/ca.key", "-out", folder + "/ca.pem",
             "-days", "3650", "-subj", subject)
    return folder


def issue(folder, name, days="3650", extra=""):
    """A certificate of the authority in folder, with its key; returns the paths (certificate, key)."""
    key, cert, request = (os.path.join(folder, name + e) for e in (".key", ".pem", ".csr"))
    _openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", f"/O=Shop Lab/CN={name}")
    ext = os.path.join(folder, name + ".ext")
    with open(ext, "w", encoding="ascii") as f:
        f.write(extra)
    _openssl("x509", "-req", "-in", request, "-CA", folder + "/ca.pem", "-CAkey", folder + "/ca.key", "-CAcreateserial",
             "-days", str(days), "-out", cert, "-extfile", ext)
    return cert, key
