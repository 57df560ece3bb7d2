#!/usr/bin/python3
"""A phone's secure element used by strangers: this program is app and server at once, over PC/SC.

It makes keys in the chip, gets them attested and checks the attestation, certifies them itself,
opens SCP03, personalizes, checks the receipt, makes the slots live and signs, and in the end kills
both keys with tickets of its own and has the chip prove it. On the way it flips every byte of
attestation, script, receipts, tickets and proofs, and each must be refused. It reads one JSON object
from standard input and writes one line for each thing it saw; it ends with status 1 at the first
that is not as it should be.
"""

import datetime
import hashlib
import json
import os
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID
from smartcard.System import readers

import papers
import scp03

JPKI = bytes.fromhex("D392F000260100000001")
DOMAIN = bytes.fromhex("F057415249465501")
SECRETS = {1: b"ABC123", 2: b"1234"}


class Chip:
    """A card in a reader; send() follows 61xx."""

    def __init__(self, number):
        self.connection = readers()[number].createConnection()
        self.connection.connect()
        self.sent = 0

    def raw(self, apdu):
        self.sent += 1
        data, sw1, sw2 = self.connection.transmit(list(apdu))
        return bytes(data), sw1 << 8 | sw2

    def send(self, apdu):
        data, sw = self.raw(apdu)
        while sw >> 8 == 0x61:
            more, sw = self.raw(bytes([0, 0xC0, 0, 0, sw & 0xFF]))
            data += more
        return data, sw

    def must(self, apdu):
        data, sw = self.send(apdu)
        if sw != 0x9000:
            sys.exit("%s... answered %04X" % (apdu[:5].hex(), sw))
        return data

    def select(self, aid):
        self.must(bytes([0, 0xA4, 4, 0x0C, len(aid)]) + aid)


def say(what, detail=""):
    print("ok", what, detail, flush=True)


def flips(octets, check):
    """Every byte flipped must make check raise; returns how many there were."""
    check(octets)
    for i in range(len(octets)):
        flipped = bytearray(octets)
        flipped[i] ^= 0x01
        try:
            check(bytes(flipped))
        except Exception:
            continue
        sys.exit("octet %d flipped, and still believed" % i)
    return len(octets)


def tlv(tag, value):
    tag = bytes.fromhex(tag)
    n = len(value)
    length = bytes([n]) if n < 0x80 else bytes([0x81, n]) if n < 0x100 else bytes([0x82, n >> 8, n & 0xFF])
    return tag + length + value


def public(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def certify(authority, kind, spki):
    """A certificate over the chip's key, from an authority of this program's own."""
    name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"), x509.NameAttribute(NameOID.COMMON_NAME, "element.py %d" % kind)])
    begin = datetime.datetime(2026, 4, 1)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(kind + 1000)
        .not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=365))
        .public_key(serialization.load_der_public_key(spki)).sign(authority, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.DER)


def store(object_, size=239):
    """STORE DATA commands for one object, before wrapping."""
    blocks = [object_[i : i + size] for i in range(0, len(object_), size)]
    return [(0x80, 0xE2, 1 | (0x80 if i == len(blocks) - 1 else 0), i, b) for i, b in enumerate(blocks)]


def make_keys(chip):
    chip.select(JPKI)
    keys = {kind: chip.must(bytes([0x80, 0x46, 1, kind, 0])) for kind in SECRETS}
    say("keys", "%d made in the chip" % len(keys))
    return keys


def attest(chip, root, keys):
    challenge = os.urandom(32)
    attestation = chip.must(bytes([0x80, 0x48, 0, 0, 32]) + challenge + b"\0")
    chain = chip.must(bytes([0x80, 0x4A, 0, 0, 0]))
    key, element = papers.attestation_key(chain, root)
    n = flips(attestation, lambda a: papers.check_attestation(a, key, element, challenge, keys))
    say("attestation", "believed as it is, refused with any of %d bytes flipped" % n)
    return key, element


def set_secrets(chip, key, element):
    for kind, secret in SECRETS.items():
        chip.must(bytes([0x80, 0x4C, 0, kind, len(secret)]) + secret)
    document = hashlib.sha256(b"application document").digest()
    paper = chip.must(bytes([0x80, 0x4E, 0, 0, 32]) + document + b"\0")
    n = flips(paper, lambda p: papers.check_secrets_set(p, key, element, document))
    say("secrets", "set; the chip's word refused with any of %d bytes flipped" % n)


def channel(chip, keys):
    chip.select(DOMAIN)
    return scp03.Channel(chip.send, DOMAIN, *keys)


def flip_script(chip, keys, script):
    """Every byte of every wrapped command, flipped on its way to the chip, must be refused there, and
    every byte of its answer, flipped on the way back, here."""
    commands = answers = 0
    for n, command in enumerate(script):
        wrapped = b""
        i = 0
        while i == 0 or i < len(wrapped) - 1:  # Le, the last byte, is outside of the MAC
            if i == 4:  # Lc says where the data ends: the reader's business
                i += 1
                continue
            session = channel(chip, keys)
            for before in script[:n]:
                session.command(*before)
            wrapped = session.wrap(*command)
            flipped = bytearray(wrapped)
            flipped[i] ^= 0x01
            _, sw = chip.send(bytes(flipped))
            if sw == 0x9000:
                sys.exit("command %d, octet %d flipped, and taken" % (n, i))
            commands, i = commands + 1, i + 1
        session = channel(chip, keys)
        for before in script[:n]:
            session.command(*before)
        answer, sw = chip.send(session.wrap(*command))
        answers += flips(answer + sw.to_bytes(2, "big"), lambda a: believed(session, a))
    say("script", "refused with any of %d command bytes and %d answer bytes flipped" % (commands, answers))


def believed(session, answer):
    data, sw = session.unwrap(answer[:-2], int.from_bytes(answer[-2:], "big"))
    if sw != 0x9000:
        raise scp03.Broken("status %04X" % sw)


def personalize(chip, keys, key, element, certificates, parent, tickets):
    digest = lambda b: hashlib.sha256(b).digest()
    application = digest(b"an application")
    script = [(0x80, 0xE6, 0x20, 0, b"\0\0" + bytes([len(JPKI)]) + JPKI + b"\0\0\0")]
    for kind, (certificate, _) in certificates.items():
        script += store(tlv("BF31", tlv("80", bytes([kind])) + tlv("81", certificate)))
    script += store(tlv("BF32", tlv("80", parent)))
    script += store(tlv("BF36", b"".join(tlv("E0", tlv("80", bytes([kind])) + tlv("81", public(t))) for kind, t in tickets.items())))
    script += store(tlv("BF33", tlv("80", application)))
    script += [(0x80, 0xCA, 0xDF, 0x33), (0x80, 0xCA, 0xDF, 0x34)]
    flip_script(chip, keys, script)
    session = channel(chip, keys)
    if session.diversification != element[:10]:
        sys.exit("another chip")
    answers = [session.command(*c) for c in script]
    if any(sw != 0x9000 for _, sw in answers):
        sys.exit("personalization answered %s" % ["%04X" % sw for _, sw in answers])
    receipt = answers[-2][0] + answers[-1][0]
    slots = {kind: (digest(spki), digest(certificate)) for kind, (certificate, spki) in certificates.items()}
    n = flips(receipt, lambda r: papers.check_receipt(r, key, element, application, digest(parent), slots))
    say("receipt", "believed as it is, refused with any of %d bytes flipped" % n)
    live = b"".join(tlv("E0", tlv("80", bytes([kind])) + tlv("85", digest(c))) for kind, (c, _) in certificates.items())
    for _ in range(2):  # idempotent
        for c in store(tlv("BF35", live)):
            if session.command(*c)[1] != 0x9000:
                sys.exit("ACTIVATE refused")
    say("activate", "twice")


def sign(chip, keys):
    chip.select(JPKI)
    prefix = bytes.fromhex("3031300d060960864801650304020105000420")
    digest = hashlib.sha256(b"a document").digest()
    for kind, (secret_file, key_file) in {1: (0x1B, 0x1A), 2: (0x18, 0x17)}.items():
        command = bytes([0x80, 0x2A, 0, 0x80 | key_file, 51]) + prefix + digest + b"\0"
        if chip.send(command)[1] != 0x6982:
            sys.exit("signed without a secret")
        chip.must(bytes([0, 0x20, 0, 0x80 | secret_file, len(SECRETS[kind])]) + SECRETS[kind])
        public = serialization.load_der_public_key(keys[kind])
        public.verify(chip.must(command), digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    say("sign", "with both keys")


def prove(chip, key, element, live):
    """A marketplace's question, with the phone's right number and with a wrong one."""
    nonce, at = os.urandom(16), 1775095872  # 2026-04-02 02:11:12 UTC
    ask = lambda number: tlv("80", b"market") + tlv("81", nonce) + tlv("82", at.to_bytes(8, "big")) + tlv("83", number)
    number, wrong = b"imei:490154203237518", ask(b"imei:490154203237519")
    if chip.send(bytes([0x80, 0x5C, 0, 0, len(wrong)]) + wrong + b"\0")[1] != 0x6A88:
        sys.exit("proved under another number")
    question = ask(number)
    proof = chip.must(bytes([0x80, 0x5C, 0, 0, len(question)]) + question + b"\0")
    return flips(proof, lambda p: papers.check_clean_proof(
        p, key, element, b"market", nonce, [number], live, 1, b"20260402021112Z"))


def kill(chip, key, element, keys, certificates, tickets):
    """Tickets for both keys: flipped they are refused, as they are they are obeyed, and answered twice."""
    chip.select(JPKI)
    live, before = {1: True, 2: True}, chip.sent
    n = prove(chip, key, element, live)
    for kind, spki in keys.items():
        digest = hashlib.sha256(spki).digest()
        ticket = papers.kill_ticket(tickets[kind], element, kind, digest, b"\x01", b"revoked", 5, b"20260402021112Z")
        command = lambda t: bytes([0x80, 0x5A, 0, 0, len(t)]) + t + b"\0"
        for i in range(len(ticket)):
            flipped = bytearray(ticket)
            flipped[i] ^= 0x01
            if chip.send(command(bytes(flipped)))[1] == 0x9000:
                sys.exit("ticket octet %d flipped, and obeyed" % i)
        for _ in range(2):
            receipt = chip.must(command(ticket))
            flips(receipt, lambda r: papers.check_kill_receipt(r, key, element, kind, digest, 5, 1))
        # Tickets come in any order: what is gone is gone, whatever the number.
        older = papers.kill_ticket(tickets[kind], element, kind, digest, b"\x01", b"revoked", 4, b"20260402021112Z")
        papers.check_kill_receipt(chip.must(command(older)), key, element, kind, digest, 4, 1)
        for number, status in ((4, 0x6985), (6, 0x6A88)):
            other = papers.kill_ticket(tickets[kind], element, kind, hashlib.sha256(b"no key").digest(), b"\x01", b"revoked", number, b"20260402021112Z")
            if chip.send(command(other))[1] != status:
                sys.exit("ticket %d for a key that is not there was not answered %04X" % (number, status))
        live[kind] = False
        n += prove(chip, key, element, live)
    slots = chip.must(bytes([0x80, 0x56, 0, 0, 0]))
    for certificate, spki in certificates.values():
        if hashlib.sha256(spki).digest() in slots or hashlib.sha256(certificate).digest() in slots:
            sys.exit("something is left")
    say("kill", "both keys, every flipped ticket refused, in %d APDUs" % (chip.sent - before))
    say("proof", "three, refused with any of %d bytes flipped" % n)


def main():
    task = json.load(sys.stdin)
    chip = Chip(task["reader"])
    keys = make_keys(chip)
    key, element = attest(chip, bytes.fromhex(task["root"]), keys)
    if element.hex() != task["element"]:
        sys.exit("element %s" % element.hex())
    set_secrets(chip, key, element)
    authority = ec.generate_private_key(ec.SECP256R1())
    certificates = {kind: (certify(authority, kind, spki), spki) for kind, spki in keys.items()}
    parent = public(ec.generate_private_key(ec.SECP256R1()))
    tickets = {kind: ec.generate_private_key(ec.SECP256R1()) for kind in keys}
    static = (bytes.fromhex(task["enc"]), bytes.fromhex(task["mac"]))
    personalize(chip, static, key, element, certificates, parent, tickets)
    sign(chip, keys)
    kill(chip, key, element, keys, certificates, tickets)
    say("done", "%d APDUs" % chip.sent)


if __name__ == "__main__":
    main()
