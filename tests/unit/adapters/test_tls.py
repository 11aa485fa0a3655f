"""Certificates: who is who, and who vouches for nobody."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from tearline.adapters import tls
from tearline.terms import BadInput
from tests.door import Identity


def test_an_identity_is_for_its_owner_only(tmp_path: Path) -> None:
    made = Identity.make(tmp_path / "keys", "AAA")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (made.certificate, made.key)} == {0o600}
    with pytest.raises(FileExistsError):
        tls.make_identity(tmp_path / "keys", "AAA")


def test_a_fingerprint_is_that_of_the_key_not_of_the_certificate(tmp_path: Path) -> None:
    made = Identity.make(tmp_path / "keys", "AAA")
    certificate = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    key = load_pem_private_key(made.key.read_bytes(), None)
    renewed = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(key.public_key())  # type: ignore[arg-type]
        .serial_number(1)
        .not_valid_before(certificate.not_valid_before_utc)
        .not_valid_after(certificate.not_valid_after_utc)
        .sign(key, hashes.SHA256())  # type: ignore[arg-type]
    )
    print_ = tls.key_fingerprint(made.pem)
    assert print_ == tls.key_fingerprint(renewed.public_bytes(Encoding.DER))
    digest = hashes.Hash(hashes.SHA256())
    digest.update(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))  # type: ignore[union-attr]
    assert print_ == digest.finalize().hex()
    assert print_ != tls.key_fingerprint(Identity.make(tmp_path / "other", "AAA").pem)


@pytest.mark.parametrize("wrong", ["", "no certificate", b"", b"\x30\x00"])
def test_what_is_no_certificate_is_refused(wrong: str | bytes) -> None:
    with pytest.raises(BadInput):
        tls.key_fingerprint(wrong)


def test_contexts_take_nothing_old_and_nobody_unasked(tmp_path: Path) -> None:
    made = Identity.make(tmp_path / "keys", "AAA")
    door = tls.server_context(made.certificate, made.key)
    assert door.minimum_version is ssl.TLSVersion.TLSv1_3
    assert door.verify_mode is ssl.CERT_REQUIRED
    assert door.num_tickets == 0
    plain = tls.server_context(made.certificate, made.key, require_client=False)
    assert plain.minimum_version is ssl.TLSVersion.TLSv1_2
    assert plain.verify_mode is ssl.CERT_NONE
    client = tls.client_context(made.certificate, made.key, made.pem)
    assert client.minimum_version is ssl.TLSVersion.TLSv1_3
    assert client.verify_mode is ssl.CERT_REQUIRED
