"""YAML documents that are built to hurt: alias bombs, cycles, depth, size, chains and doubling blocks."""


def document(luck, victims, folder):
    """One of them, at a size by luck."""
    return luck.choice(_ALL)(luck, victims, folder).encode("utf-8", "surrogatepass")


def _sizes(luck):
    return luck.choice([3, 30, 300, 3000, 30_000])


def _bomb(luck, victims, folder):
    wide = luck.choice([2, 9])
    lines = ["a0: &a0 [1]"] + [
        f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * wide)}]" for k in range(1, luck.choice([5, 30, 200]))
    ]
    return "\n".join(lines)


def _bomb_of_keys(luck, victims, folder):
    lines = ["a0: &a0 {x: 1}"] + [f"a{k}: &a{k} {{x: *a{k - 1}, y: *a{k - 1}}}" for k in range(1, luck.choice([5, 40]))]
    return "\n".join(lines)


def _bomb_of_merges(luck, victims, folder):
    lines = ["a0: &a0 {x: 1}"] + [
        f"a{k}: &a{k} {{<<: [*a{k - 1}, *a{k - 1}], y{k}: 1}}" for k in range(1, luck.choice([5, 40, 2000]))
    ]
    return "\n".join(lines)


def _cycle(luck, victims, folder):
    return luck.choice(["a: &a [*a]\n", "a: &a {b: *a}\n", "a: &a {<<: *a}\n", "&a a: *a\n", "a: &a {? *a : 1}\n"])


def _deep(luck, victims, folder):
    depth = _sizes(luck)
    opening, closing = luck.choice([("[", "]"), ("{a: ", "}"), ("[{a: ", "}]"), ("{? ", "}"), ("- ", ""), ("? ", "")])
    return "a: " * luck.randint(0, 1) + opening * depth + "1" + closing * depth


def _deep_block(luck, victims, folder):
    return "".join(" " * k + "a:\n" for k in range(min(_sizes(luck), 3000))) + "\n"


def _long(luck, victims, folder):
    text = luck.choice(["x", "é", "9", '"', "#", "- 1\n", "\n", "a: 1\n", "'", "&", "!", "\\"])
    return "name: " + luck.choice(['"', "", "'"]) + text * luck.choice([10_000, 300_000, 1_200_000, 6_000_000])


def _many_keys(luck, victims, folder):
    return "".join(f"k{k}: 1\n" for k in range(_sizes(luck)))


def _many_designs(luck, victims, folder):
    count = min(_sizes(luck), 300)
    like = luck.random() < 0.5
    designs = "".join(f"  d{k}: {{{f'like: d{k - 1}, ' if like and k else ''}seed: {k}}}\n" for k in range(count))
    return f"extends: {victims}/scenarios/02_one_outage.yaml\ndesigns:\n{designs}"


def _designs_in_a_ring(luck, victims, folder):
    ring = "{a: {like: b}, b: {like: c}, c: {like: a}}"
    return f"extends: {victims}/scenarios/02_one_outage.yaml\ndesigns: {ring}\n"


def _catalogue(luck, victims, folder):
    count = luck.choice([3, 30, 300])
    blocks = "".join(f"  b{k}: {{x: {{type: b{k + 1}}}, y: {{type: b{k + 1}}}}}\n" for k in range(count))
    return f"catalogue:\n{blocks}  b{count}: {{z: 1}}\nsites: {{s: {{type: b0}}}}\n"


def _catalogue_in_a_ring(luck, victims, folder):
    return "catalogue: {a: {type: b}, b: {type: a}, c: {x: {type: c}}}\nsites: {s: {type: a}, t: {type: c}}\n"


def _extends(luck, victims, folder):
    """Chains that come back, end nowhere or in something that is no file."""
    target = luck.choice(
        [
            "scenario.yaml",
            "other.yaml",
            ".",
            "folder",
            "pipe",
            "/dev/zero",
            "/dev/null",
            "/etc/passwd",
            "loop",
            "../../../../../../etc/hostname",
            "none.yaml",
            "",
            "'\\0'",
            '"\\0"',
            "x" * 300,
            "bomb.gz",
            "[a]",
        ]
    )
    (folder / "other.yaml").write_text("extends: scenario.yaml\n")
    return f"extends: {target}\nname: x\n"


def _long_chain(luck, victims, folder):
    count = luck.choice([20, 300, 1500])
    for k in range(count):
        (folder / f"c{k}.yaml").write_text(f"extends: c{k + 1}.yaml\n")
    (folder / f"c{count}.yaml").write_text("name: x\n")
    return "extends: c0.yaml\n"


def _dots(luck, victims, folder):
    return (
        "sites"
        + ".a" * _sizes(luck)
        + ": 1\n"
        + luck.choice(["", "sites: {a: 1}\n", ".: 1\n", "a..b: 2\n", "'*.*.*': 1\n"])
    )


def _stars(luck, victims, folder):
    return f"extends: {victims}/scenarios/06_truck_fleet.yaml\n" + "".join(
        f"{'.'.join(['*'] * k)}: {luck.choice(['1', 'null', '{x: 1}'])}\n" for k in range(1, luck.randint(2, 9))
    )


def _documents(luck, victims, folder):
    return luck.choice(
        [
            "---\na: 1\n---\nb: 2\n",
            "a: 1\n...\n...\n---\n",
            "%YAML 9.9\n---\na: 1\n",
            "%TAG ! x\n---\na: !y 1\n",
            "--- |\n a\n",
            "--- !!map {a: 1}\n",
            "- 1\n- 2\n",
            "just text\n",
            "---\n" * 5000,
        ]
    )


def _twice(luck, victims, folder):
    return "name: a\n" * luck.choice([2, 2000]) + "sites: {}\nsites: {}\n"


def _sweep(luck, victims, folder):
    size = luck.choice(["0", "-1", "1e9", "1000000000", "100000"])
    return (
        f"extends: {victims}/made_02_one_outage_340.yaml\n"
        f"sweeps.rates: {{method: {luck.choice(['lhs', 'grid', 'none'])}, "
        f"samples: {size}}}\n"
    )


def _python(luck, victims, folder):
    (folder / "evil.py").write_text("open('hacked', 'w').write('x')\n")
    return (
        f"extends: {victims}/scenarios/10_reserve.yaml\n"
        f"sites.campus.ems.{luck.choice(['policy_file', 'policy.file', 'file'])}: evil.py\n"
    )


_ALL = [
    _bomb,
    _bomb_of_keys,
    _bomb_of_merges,
    _cycle,
    _deep,
    _deep_block,
    _long,
    _many_keys,
    _many_designs,
    _designs_in_a_ring,
    _catalogue,
    _catalogue_in_a_ring,
    _extends,
    _extends,
    _extends,
    _long_chain,
    _dots,
    _stars,
    _documents,
    _twice,
    _sweep,
    _python,
]
