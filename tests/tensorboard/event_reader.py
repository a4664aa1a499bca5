"""Reads event files as TensorBoard does, with Python's standard library alone and every checksum verified.

Written from the descriptions of the format, not from the writer: framing from TensorFlow's record_reader,
messages from event.proto and summary.proto.
"""

import struct

CRC_TABLE = []
for byte in range(256):
    value = byte
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    CRC_TABLE.append(value)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def masked(crc):
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    """Yields the payload of each record; ValueError for a wrong checksum or a record that is cut off."""
    at = 0
    while at < len(data):
        if len(data) - at < 12:
            raise ValueError(f"a record is cut off at byte {at}")
        length, length_crc = struct.unpack_from("<QI", data, at)
        if masked(crc32c(data[at:at + 8])) != length_crc:
            raise ValueError(f"wrong checksum of a length at byte {at}")
        if len(data) - at < 16 + length:
            raise ValueError(f"a record is cut off at byte {at}")
        payload = data[at + 12:at + 12 + length]
        if masked(crc32c(payload)) != struct.unpack_from("<I", data, at + 12 + length)[0]:
            raise ValueError(f"wrong checksum of a record at byte {at}")
        yield payload
        at += 16 + length


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            return value, at
        shift += 7


def fields(message):
    """Yields (number, value) of each field: an int for varints, else the raw bytes."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(message, at)
            yield number, value
            continue
        if wire == 2:
            length, at = varint(message, at)
        else:
            length = {1: 8, 5: 4}[wire]
        if at + length > len(message):
            raise ValueError("a field is longer than its message")
        yield number, message[at:at + length]
        at += length


def image_of(message):
    image = dict(fields(message))
    return {"height": image[1], "width": image[2], "colorspace": image[3], "png": image[4]}


def value_of(message):
    """(tag, number or image) of a Summary.Value."""
    value = dict(fields(message))
    content = struct.unpack("<f", value[2])[0] if 2 in value else image_of(value[4])
    return value[1].decode(), content


def events(path):
    """The events of a file, each a dict with the keys that it has: time, step, version, start, values."""
    found = []
    for payload in records(path.read_bytes()):
        event = {"step": 0, "values": {}}
        for number, value in fields(payload):
            if number == 1:
                event["time"] = struct.unpack("<d", value)[0]
            elif number == 2:
                event["step"] = value
            elif number == 3:
                event["version"] = value.decode()
            elif number == 5:
                event["values"].update(value_of(part) for field, part in fields(value) if field == 1)
            elif number == 7:
                event["start"] = dict(fields(value)).get(1) == 1
        found.append(event)
    return found


def folder_events(folder):
    """What TensorBoard shows of a folder: files by name, and a session's start makes later steps void."""
    shown = []
    for path in sorted(folder.iterdir()):
        for event in events(path):
            if event.get("start"):
                shown = [earlier for earlier in shown if earlier["step"] < event["step"]]
            shown.append(event)
    return shown
