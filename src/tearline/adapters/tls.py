"""TLS 1.3 with self-made certificates: a peer is the *key* of its certificate, never a name in it.

Each node has one self-signed certificate. Partners exchange them out of band, so a certificate is its own
trust anchor and there is no authority that could vouch for somebody else. TAXII 2.1 (section 8.2.2) asks
for TLS 1.2 too. Between partners we refuse it: it sends certificates in clear, and so tells an onlooker who
shares with whom. The password door, which asks for no certificate, accepts it.
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import os
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tearline.terms import BadInput

VALID = datetime.timedelta(days=825)
_SKEW = datetime.timedelta(hours=1)


def make_identity(
    folder: Path,
    party: str,
    *hosts: str,
    not_before: datetime.datetime | None = None,
    valid: datetime.timedelta = VALID,
) -> tuple[Path, Path]:
    """Write a new ECDSA P-256 key (`tls.pem`, 0600) and its self-signed certificate (`tls.crt`).

    `hosts` are the names and addresses at which clients find the node. Returns (certificate, key).
    """
    key = ec.generate_private_key(ec.SECP256R1())
    start = not_before or datetime.datetime.now(datetime.UTC) - _SKEW
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, party)])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + valid)
        # No authority: with this certificate as an anchor nobody can vouch for another key.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
            critical=False,
        )
        .add_extension(x509.SubjectAlternativeName([_general_name(h) for h in hosts or (party,)]), False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False)
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / "tls.crt", folder / "tls.pem"
    _write(key_path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    _write(certificate_path, certificate.public_bytes(Encoding.PEM))
    return certificate_path, key_path


def server_context(
    certificate: Path, key: Path, trusted: list[str] | None = None, *, require_client: bool = True
) -> ssl.SSLContext:
    """A server that asks for a certificate out of `trusted` (PEM), or, without `require_client`, for none.

    More partners may be `trust`ed while it serves. A connection is never resumed: each proves its key anew.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if require_client else ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    context.load_cert_chain(certificate, key)
    if require_client:
        context.verify_mode = ssl.CERT_REQUIRED
        for pem in trusted or ():
            trust(context, pem)
    return context


def client_context(certificate: Path, key: Path, server: str) -> ssl.SSLContext:
    """A client that shows `certificate` and talks to the holder of the `server` certificate (PEM) alone.

    The host's name is not compared: the pinned certificate says more than a name could.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.load_cert_chain(certificate, key)
    trust(context, server)
    return context


def authority_context(authority: str) -> ssl.SSLContext:
    """A client that talks to servers for whose name `authority` (PEM) vouches; if that is empty, someone whom
    the system trusts."""
    context = ssl.create_default_context(cadata=authority or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def trust(context: ssl.SSLContext, pem: str) -> None:
    """Take a peer's certificate as an anchor, also while the context is in use. Raises `BadInput`.

    An anchor cannot be taken back from a context: who may come in is for the door to say, by key.
    """
    certificate = _load(pem)
    context.load_verify_locations(cadata=certificate.public_bytes(Encoding.DER))


def key_fingerprint(certificate: str | bytes) -> str:
    """Who the holder of a certificate (PEM text or DER) is: hex SHA-256 of its SubjectPublicKeyInfo."""
    spki = _load(certificate).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


def valid_until(certificate: str) -> datetime.datetime:
    """The instant (UTC) from which on a certificate (PEM) no longer holds. Raises `BadInput`."""
    return _load(certificate).not_valid_after_utc


def _load(certificate: str | bytes) -> x509.Certificate:
    try:
        if isinstance(certificate, str):
            return x509.load_pem_x509_certificate(certificate.encode())
        return x509.load_der_x509_certificate(certificate)
    except ValueError:
        raise BadInput("certificate", "", "it is not an X.509 certificate") from None


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write(path: Path, data: bytes) -> None:
    """A new file that its owner alone may read, on the disk when this returns."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
