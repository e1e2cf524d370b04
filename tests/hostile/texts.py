"""Mutation of text and of raw bytes, whatever they mean: lines, cells, encodings, bits."""

import gzip

CELLS = [
    "",
    " ",
    "0",
    "-1",
    "-0.0",
    "1e400",
    "-1e400",
    "nan",
    "inf",
    "-inf",
    "NaT",
    "1" + "0" * 400,
    "9" * 5000,
    "0x10",
    "1_0",
    "1,5",
    "١٢",
    "true",
    "None",
    "é",
    "\u202ex",
    "\x1b[31m",
    "\x00",
    '"',
    '""',
    "'",
    ";",
    "x" * 200_000,
    "1e-320",
    "1e308",
    "9007199254740993",
    "9223372036854775808",
    "2026-02-30",
    "2026-01-01",
    "0000-00-00 00:00",
    "9999-12-31T23:59:59",
    "9999-12-31T23:59:60",
    "2026-01-01T00:00:00+99:00",
    "2026-01-01T00:00:00Z",
    "-999999-01-01",
    "24:00:00",
    "1-00:00:00",
    "=1+1",
    "<script>",
    "gres/gpu=999999999999",
    "gres/gpu=",
    "999999999:00:00",
]


def mutate_rows(data, luck, delimiter=","):
    """A table with one to three changes to rows, columns or cells."""
    rows = [row.split(delimiter) for row in data.decode("utf-8", "replace").split("\n")]
    for _ in range(luck.randint(1, 3)):
        row = luck.randrange(min(len(rows), luck.choice([2, 50, len(rows)])))
        width = max(len(rows[0]), 1)
        change = luck.choice(
            ["cell", "cell", "cell", "header", "drop", "twice", "short", "long", "column", "order", "cut"]
        )
        column = luck.randrange(width)
        if change in ("cell", "header"):
            cells = rows[0 if change == "header" else row]
            if cells:
                cells[column % len(cells)] = luck.choice([*CELLS, *rows[0]])
        elif change == "drop":
            del rows[row]
            rows = rows or [[""]]
        elif change == "twice":
            rows[row:row] = [list(rows[row])] * luck.choice([1, 1, 100])
        elif change == "short":
            rows[row] = rows[row][:-1]
        elif change == "long":
            rows[row] = rows[row] + luck.choices(CELLS, k=2)
        elif change == "column":
            rows = [cells[:column] + cells[column + 1 :] for cells in rows]
        elif change == "order":
            luck.shuffle(rows)
        else:
            rows = rows[: row + 1]
    return "\n".join(delimiter.join(cells) for cells in rows).encode("utf-8", "surrogatepass")


def mutate_text(data, luck):
    """Any text with one change to its lines, characters or encoding."""
    change = luck.choice(list(_OF_TEXT))
    return _OF_TEXT[change](data, luck)


def _lines(data, luck):
    lines = data.split(b"\n")
    place, other = luck.randrange(len(lines)), luck.randrange(len(lines))
    lines[place], lines[other] = luck.choice(
        [
            (lines[other], lines[place]),
            (lines[place], lines[place]),
            (b"", lines[other]),
            (b"  " + lines[place], lines[other]),
            (lines[place].strip(), lines[other]),
            (b"\t" + lines[place], lines[other]),
            (b"---", lines[other]),
            (b"...", lines[other]),
            (b"%YAML 9.9", lines[other]),
            (b"# " + lines[place], lines[other]),
        ]
    )
    return b"\n".join(lines)


def _characters(data, luck):
    found = bytearray(data)
    for _ in range(luck.randint(1, 4)):
        place = luck.randint(0, len(found))
        found[place : place + luck.randint(0, 3)] = luck.choice(
            [
                b"\x00",
                b"\x1b[2J",
                b"\xff",
                b"\xed\xa0\x80",
                b"\t",
                b"\r",
                b":",
                b"{",
                b"[",
                b"'",
                b'"',
                b"&a ",
                b"*a ",
                b"!!x ",
                b"\xe2\x80\xae",
                b"\xe2\x80\xa8",
                b"\xc2\x85",
                b"- ",
                b"? ",
                b"|\n",
                b"9" * 30,
                b"\x7f",
                b"e",
            ]
        )
    return bytes(found)


_OF_TEXT = {
    "lines": _lines,
    "characters": _characters,
    "cut": lambda data, luck: data[: luck.randint(0, len(data))],
    "bom": lambda data, luck: b"\xef\xbb\xbf" * luck.randint(1, 2) + data,
    "utf-16": lambda data, luck: data.decode("utf-8", "replace").encode(luck.choice(["utf-16", "utf-16-be", "utf-32"])),
    "crlf": lambda data, luck: data.replace(b"\n", luck.choice([b"\r\n", b"\r", b"\n\r", b"\x0b", b"\xc2\x85"])),
    "bytes": lambda data, luck: mutate_bytes(data, luck),  # noqa: PLW0108 - defined below
    "nothing": lambda data, luck: luck.choice(
        [b"", b"\n", b" ", b"#", b"\x00" * 4096, b"\xef\xbb\xbf", b"---\n", b"...\n"]
    ),
    "noise": lambda data, luck: luck.randbytes(luck.choice([1, 100, 10_000])),
    "gzip": lambda data, luck: luck.choice(
        [gzip.compress(data, mtime=0), gzip.compress(data, mtime=0)[: luck.randint(0, 40)]]
    ),
}


def mutate_bytes(data, luck):
    """Any file cut, flipped, zeroed, repeated or grown."""
    found = bytearray(data) or bytearray(1)
    place, size = luck.randrange(len(found)), luck.choice([1, 8, 64, 512, 4096])
    change = luck.choice(["flip", "flip", "flip", "byte", "zero", "cut", "repeat", "grow", "drop", "head"])
    if change == "flip":
        for _ in range(luck.choice([1, 1, 1, 8, 64])):
            found[luck.randrange(len(found))] ^= 1 << luck.randrange(8)
    elif change == "byte":
        found[place] = luck.randrange(256)
    elif change == "zero":
        found[place : place + size] = bytes(len(found[place : place + size]))
    elif change == "cut":
        del found[place:]
    elif change == "repeat":
        found[place:place] = found[place : place + size]
    elif change == "grow":
        found += luck.randbytes(size)
    elif change == "drop":
        del found[place : place + size]
    else:
        found[: min(size, 64)] = luck.randbytes(min(size, 64))
    return bytes(found)
