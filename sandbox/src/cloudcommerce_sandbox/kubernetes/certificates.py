"""Certificates and keys of a cluster: one authority for each thing that must not be mistaken for another."""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cloudcommerce_sandbox.files import write_atomically

_VALIDITY = datetime.timedelta(days=3650)
# The clock of a machine may be set back after the certificate was made.
_BACKDATED = datetime.timedelta(hours=1)
_SERVICE_ACCOUNT_KEY_BITS = 2048  # RS256, as EKS signs the tokens of service accounts


@dataclass(frozen=True, kw_only=True)
class KeyPair:
    """A certificate and its key, as files.

    Attributes:
        certificate: The certificate in PEM.
        key: The private key in PEM, readable by its owner only.
    """

    certificate: Path
    key: Path

    def exist(self) -> bool:
        """Say whether both files are there."""
        return self.certificate.is_file() and self.key.is_file()


class Authority:
    """A certificate authority whose key and certificates lie in one folder; what is there is kept.

    Args:
        directory: The folder; it is created.
        name: The authority's common name and the name of its files.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self.files = _files(directory, name)
        if not self.files.exist():
            self._create(name)
        self._key = _load_key(self.files.key)
        self._certificate = x509.load_pem_x509_certificate(self.files.certificate.read_bytes())

    def server(self, file_name: str, hosts: Sequence[str]) -> KeyPair:
        """Return a certificate for a server that is a client to its like as well.

        Args:
            file_name: The name of its files.
            hosts: The names and addresses it serves.
        """
        names = [_general_name(host) for host in hosts]
        alternative = x509.SubjectAlternativeName(names)
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        return self._issue(file_name, _name(file_name), usages, alternative)

    def client(self, file_name: str, user: str, groups: Sequence[str] = ()) -> KeyPair:
        """Return a certificate for a client.

        Args:
            file_name: The name of its files.
            user: Its user name, which becomes the common name.
            groups: Its groups, which become the organizations.
        """
        return self._issue(file_name, _name(user, groups), [ExtendedKeyUsageOID.CLIENT_AUTH], None)

    def _create(self, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        certificate = (
            _builder(subject, subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        _write(self.files, certificate, key)

    def _issue(
        self,
        file_name: str,
        subject: x509.Name,
        usages: Sequence[x509.ObjectIdentifier],
        alternative: x509.SubjectAlternativeName | None,
    ) -> KeyPair:
        files = _files(self._directory, file_name)
        if files.exist():
            return files
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(subject, self._certificate.subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        if alternative is not None:
            builder = builder.add_extension(alternative, critical=False)
        _write(files, builder.sign(self._key, hashes.SHA256()), key)
        return files


def service_account_keys(directory: Path) -> KeyPair:
    """Return the key that signs the tokens of service accounts, and its public half as the certificate.

    Args:
        directory: Its folder; what is there is kept.
    """
    files = KeyPair(certificate=directory / "service-accounts.pub", key=directory / "service-accounts.key")
    if not files.exist():
        key = rsa.generate_private_key(public_exponent=65537, key_size=_SERVICE_ACCOUNT_KEY_BITS)
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        write_atomically(files.certificate, public.decode())
        write_atomically(files.key, _pem(key), mode=0o600)
    return files


def _files(directory: Path, name: str) -> KeyPair:
    return KeyPair(certificate=directory / f"{name}.crt", key=directory / f"{name}.key")


def _write(files: KeyPair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    write_atomically(files.certificate, certificate.public_bytes(serialization.Encoding.PEM).decode())
    write_atomically(files.key, _pem(key), mode=0o600)


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path} holds {type(key).__name__}, not a key on an elliptic curve.")
    return key


def _name(common: str, organizations: Sequence[str] = ()) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, item) for item in organizations]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + _VALIDITY)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
