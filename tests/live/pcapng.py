"""The little of pcapng that the live comparison needs: raw IP packets, named interfaces, comments."""
import struct


def _option(code, value):
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def _block(kind, body):
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def write(path, interfaces, packets):
    """packets: (microseconds, interface name, bytes)"""
    with open(path, "wb") as file:
        file.write(_block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        for name in interfaces:
            file.write(_block(1, struct.pack("<HHI", 101, 0, 0) + _option(2, name.encode()) + _option(9, b"\x06") + _option(0, b"")))
        for time, name, data in packets:
            header = struct.pack("<IIIII", interfaces.index(name), time >> 32, time & 0xFFFFFFFF, len(data), len(data))
            file.write(_block(6, header + data + b"\0" * (-len(data) % 4)))


def read(path):
    """-> [(interface name, bytes, comment or None)]; little endian, as nsrouter writes it"""
    data = open(path, "rb").read()
    names, packets, at = [], [], 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        body = data[at + 8 : at + length - 4]
        if kind == 1:
            names.append(_options(body, 8).get(2, b"").decode())
        elif kind == 6:
            index, _, _, captured, _ = struct.unpack_from("<IIIII", body)
            comment = _options(body, 20 + captured + -captured % 4).get(1)
            packets.append((names[index], body[20 : 20 + captured], comment.decode() if comment else None))
        at += length
    return packets


def _options(body, at):
    found = {}
    while at + 4 <= len(body):
        code, length = struct.unpack_from("<HH", body, at)
        if code == 0:
            break
        found[code] = body[at + 4 : at + 4 + length]
        at += 4 + length + -length % 4
    return found
