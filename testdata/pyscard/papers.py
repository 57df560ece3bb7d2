"""The papers a secure element signs (docs/papers.md), read and checked with python3-cryptography alone."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Refused(Exception):
    """A paper that is not believed."""


def der(data):
    """Splits one DER element off: (tag, value, rest)."""
    if len(data) < 2:
        raise Refused("truncated")
    tag, length, at = data[0], data[1], 2
    if length & 0x80:
        octets = length & 0x7F
        if octets == 0 or octets > 2 or len(data) < 2 + octets:
            raise Refused("length")
        length, at = int.from_bytes(data[2 : 2 + octets], "big"), 2 + octets
        if length < 0x80 or length >> (8 * (octets - 1)) == 0:
            raise Refused("length not in its shortest form")
    if len(data) < at + length:
        raise Refused("truncated")
    return tag, data[at : at + length], data[at + length :]


def sequence(data, tag=0x30):
    """The elements of exactly one constructed value."""
    got, value, rest = der(data)
    if got != tag or rest:
        raise Refused("not one sequence")
    out = []
    while value:
        t, v, value = der(value)
        out.append((t, v))
    return out


def expect(condition, what):
    if not condition:
        raise Refused(what)


def opened(envelope, context, key):
    """The fields of a paper whose signature fits."""
    parts = sequence(envelope)
    expect([t for t, _ in parts] == [4, 4], "envelope")
    body, signature = parts[0][1], parts[1][1]
    try:
        key.verify(signature, context + b"\0" + body, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise Refused("signature")
    fields = sequence(body)
    expect(fields and fields[0] == (2, b"\x01"), "version")
    return [v for _, v in fields[1:]]


def elements(value):
    """The elements inside a SEQUENCE OF's value."""
    out = []
    while value:
        t, v, value = der(value)
        expect(t == 0x30, "sequence of sequences")
        inner, fields = v, []
        while inner:
            _, f, inner = der(inner)
            fields.append(f)
        out.append(fields)
    return out


def attestation_key(chain, root):
    """Walks the maker's chain to its root; returns the chip's key and identifier."""
    certificates = []
    while chain:
        _, value, rest = der(chain)
        certificates.append(x509.load_der_x509_certificate(chain[: len(chain) - len(rest)]))
        chain = rest
    anchor = x509.load_der_x509_certificate(root)
    for child, issuer in zip(certificates, certificates[1:] + [anchor]):
        expect(child.issuer == issuer.subject, "issuer")
        expect(issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca, "not an authority")
        try:
            issuer.public_key().verify(child.signature, child.tbs_certificate_bytes, ec.ECDSA(child.signature_hash_algorithm))
        except InvalidSignature:
            raise Refused("chain")
    leaf = certificates[0]
    serial = leaf.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)[0].value
    return leaf.public_key(), bytes.fromhex(serial)


def check_attestation(envelope, key, element, challenge, keys):
    fields = opened(envelope, b"warifu-attestation-v1", key)
    expect(len(fields) == 6, "fields")
    expect(fields[0] == element, "another element")
    expect(fields[3] == challenge, "another challenge")
    attested = {int.from_bytes(k, "big"): spki for k, spki in elements(fields[4])}
    expect(attested == keys, "other keys")


def check_secrets_set(envelope, key, element, document):
    fields = opened(envelope, b"warifu-secrets-set-v1", key)
    expect(fields[0] == element and fields[1] == document, "secrets set for something else")


def check_receipt(envelope, key, element, application, parent, slots):
    fields = opened(envelope, b"warifu-receipt-v1", key)
    expect(len(fields) == 5, "fields")
    expect(fields[0] == element and fields[1] == application and fields[2] == parent, "for something else")
    held = {int.from_bytes(k, "big"): (public, certificate) for k, public, certificate in elements(fields[3])}
    expect(held == slots, "other slots")


def encode(tag, value):
    """One DER element."""
    n = len(value)
    length = bytes([n]) if n < 0x80 else bytes([0x81, n]) if n < 0x100 else bytes([0x82, n >> 8, n & 0xFF])
    return bytes([tag]) + length + value


def integer(n):
    return encode(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def kill_ticket(key, element, kind, public, serial, status, number, at):
    """A ticket as an authority writes it."""
    body = encode(0x30, integer(1) + encode(4, element) + integer(kind) + encode(4, public) + encode(4, serial)
                  + encode(0x0C, status) + integer(number) + encode(0x18, at))
    signature = key.sign(b"warifu-kill-ticket-v1\0" + body, ec.ECDSA(hashes.SHA256()))
    return encode(0x30, encode(4, body) + encode(4, signature))


def check_kill_receipt(envelope, key, element, kind, public, number, counter):
    fields = opened(envelope, b"warifu-kill-receipt-v1", key)
    said = [fields[0], int.from_bytes(fields[1], "big"), fields[2], int.from_bytes(fields[3], "big"), int.from_bytes(fields[4], "big")]
    expect(said == [element, kind, public, number, counter], "receipt for something else")


def check_clean_proof(envelope, key, element, marketplace, nonce, identifiers, live, counter, at):
    fields = opened(envelope, b"warifu-clean-proof-v1", key)
    expect(len(fields) == 7, "fields")
    expect(fields[:3] == [element, marketplace, nonce], "for somebody else")
    named, rest = [], fields[3]
    while rest:
        _, value, rest = der(rest)
        named.append(value)
    expect(named == identifiers, "other identifiers")
    slots = {int.from_bytes(kind, "big"): flag != b"\0" for kind, flag in elements(fields[4])}
    expect(slots == live, "other slots")
    expect(int.from_bytes(fields[5], "big") == counter and fields[6] == at, "another counter or time")
