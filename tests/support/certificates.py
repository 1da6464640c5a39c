"""Certificates for tests of TLS."""

from __future__ import annotations

from pathlib import Path

import trustme


def write_certificates(folder: Path) -> dict[str, Path]:
    """Writes certificates and keys for a server, a client, and a client of another certificate authority.

    Returns:
        The files: `ca` and `foreign_ca`, and `_cert` and `_key` of `server`, `client` and `foreign`.
    """
    authority, foreign = trustme.CA(), trustme.CA()
    files = {"ca": folder / "ca.pem", "foreign_ca": folder / "foreign-ca.pem"}
    authority.cert_pem.write_to_path(str(files["ca"]))
    foreign.cert_pem.write_to_path(str(files["foreign_ca"]))
    issued = {
        "server": authority.issue_cert("localhost", "127.0.0.1"),
        "client": authority.issue_cert("client@example.com"),
        "foreign": foreign.issue_cert("client@example.com"),
    }
    for name, certificate in issued.items():
        files[f"{name}_cert"], files[f"{name}_key"] = folder / f"{name}.pem", folder / f"{name}-key.pem"
        certificate.cert_chain_pems[0].write_to_path(str(files[f"{name}_cert"]))
        certificate.private_key_pem.write_to_path(str(files[f"{name}_key"]))
    return files
