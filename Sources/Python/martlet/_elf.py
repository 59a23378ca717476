"""The names that a shared library exports, as far as it takes to find a model in it."""
import mmap
import struct

DYNAMIC_SYMBOLS = 11


def models(path):
    """Prefixes of the models in a 64-bit ELF library; raises ValueError for any other file."""
    with open(path, "rb") as file:
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise ValueError("is empty") from None
    with data:
        if data[:4] != b"\x7fELF" or len(data) < 64 or data[4] != 2:
            raise ValueError("is no shared library")
        try:
            return [name[: -len("_model")] for name in _exports(data) if name.endswith("_model")]
        except struct.error:
            raise ValueError("is cut short") from None


def _exports(data):
    (start,) = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)

    def section(number):
        # name, type, flags, address, offset, size, link, ...
        return struct.unpack_from("<IIQQQQI", data, start + number * size)

    for number in range(count):
        _, kind, _, _, offset, length, link = section(number)
        if kind != DYNAMIC_SYMBOLS:
            continue
        _, _, _, _, strings, _, _ = section(link)
        for place in range(offset, offset + length, 24):
            name, _, _, home = struct.unpack_from("<IBBH", data, place)
            if home == 0:
                continue
            end = data.find(b"\0", strings + name)
            yield data[strings + name : end].decode("utf-8", "replace")
