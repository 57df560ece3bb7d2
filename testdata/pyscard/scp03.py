"""SCP03 (GlobalPlatform Amendment D), the off-card end, S8 mode. Written from the specification for
the test suite; it shares no code with the Go packages it is tried against."""

import os

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.constant_time import bytes_eq


class Broken(Exception):
    """A cryptogram or MAC did not fit."""


def cmac(key, message):
    c = CMAC(algorithms.AES(key))
    c.update(message)
    return c.finalize()


def kdf(key, constant, context, bits):
    out = b""
    for i in range(1, (bits + 127) // 128 + 1):
        out += cmac(key, bytes(11) + bytes([constant, 0]) + bits.to_bytes(2, "big") + bytes([i]) + context)
    return out[: bits // 8]


class Channel:
    """One session at security level 13: C-MAC, C-DECRYPTION, R-MAC. send(apdu) returns (data, sw)."""

    LEVEL = 0x13

    def __init__(self, send, domain, enc, mac):
        self.send, self.counter = send, 0
        host = os.urandom(8)
        answer, sw = send(bytes([0x80, 0x50, 0, 0, 8]) + host + b"\0")
        if sw != 0x9000 or len(answer) != 32 or answer[11] != 3 or answer[12] & 0x10 == 0:
            raise Broken("INITIALIZE UPDATE %04X %s" % (sw, answer.hex()))
        self.diversification = answer[:10]
        card, cryptogram, sequence = answer[13:21], answer[21:29], answer[29:32]
        if not bytes_eq(kdf(enc, 2, sequence + domain, 64), card):
            raise Broken("card challenge")
        context, bits = host + card, 8 * len(enc)
        self.enc = kdf(enc, 4, context, bits)
        self.mac = kdf(mac, 6, context, bits)
        self.rmac = kdf(mac, 7, context, bits)
        if not bytes_eq(kdf(self.mac, 0, context, 64), cryptogram):
            raise Broken("card cryptogram")
        head = bytes([0x84, 0x82, self.LEVEL, 0, 16])
        proof = kdf(self.mac, 1, context, 64)
        self.chain = cmac(self.mac, bytes(16) + head + proof)
        _, sw = send(head + proof + self.chain[:8])
        if sw != 0x9000:
            raise Broken("EXTERNAL AUTHENTICATE %04X" % sw)

    def iv(self):
        return Cipher(algorithms.AES(self.enc), modes.ECB()).encryptor().update(self.counter.to_bytes(16, "big"))

    def wrap(self, cla, ins, p1, p2, data=b""):
        self.counter += 1
        if data:
            padded = data + b"\x80"
            padded += bytes(-len(padded) % 16)
            data = Cipher(algorithms.AES(self.enc), modes.CBC(self.iv())).encryptor().update(padded)
        head = bytes([cla | 4, ins, p1, p2, len(data) + 8])
        self.chain = cmac(self.mac, self.chain + head + data)
        return head + data + self.chain[:8] + b"\0"

    def unwrap(self, data, sw):
        if sw != 0x9000:
            return data, sw
        body, tag = data[:-8], data[-8:]
        if not bytes_eq(cmac(self.rmac, self.chain + body + sw.to_bytes(2, "big"))[:8], tag):
            raise Broken("R-MAC")
        return body, sw

    def command(self, cla, ins, p1, p2, data=b""):
        return self.unwrap(*self.send(self.wrap(cla, ins, p1, p2, data)))
