"""Certificates for tests of TLS."""

from __future__ import annotations

from pathlib import Path

import trustme


def write_certificates(folder: Path) -> dict[str, Path]:
    """Writes certificates and keys of a server, of a client, and of a client that another authority certified.

    Returns:
        The files: `ca` and `stranger_ca`, and `_cert` and `_key` of `server`, `client` and `foreign`.
    """
    authority, stranger = trustme.CA(), trustme.CA()
    files = {"ca": folder / "ca.pem", "stranger_ca": folder / "stranger-ca.pem"}
    authority.cert_pem.write_to_path(str(files["ca"]))
    stranger.cert_pem.write_to_path(str(files["stranger_ca"]))
    issued = {
        "server": authority.issue_cert("localhost", "127.0.0.1"),
        "client": authority.issue_cert("client@example.com"),
        "foreign": stranger.issue_cert("client@example.com"),
    }
    for name, certificate in issued.items():
        files[f"{name}_cert"], files[f"{name}_key"] = folder / f"{name}.pem", folder / f"{name}-key.pem"
        certificate.cert_chain_pems[0].write_to_path(str(files[f"{name}_cert"]))
        certificate.private_key_pem.write_to_path(str(files[f"{name}_key"]))
    return files
