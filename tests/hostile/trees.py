"""Structure-aware mutation of YAML and JSON trees. A mapping is a list of pairs here, so that a key may stand twice."""

import json
import re
from dataclasses import dataclass, field

from scalars import NUMBERS, PATHS, TEXTS, Raw, hostile


@dataclass
class Map:
    """A mapping whose keys may repeat."""

    pairs: list = field(default_factory=list)


def mapped(value):
    """A plain tree with mappings as pairs."""
    if isinstance(value, dict):
        return Map([[key, mapped(child)] for key, child in value.items()])
    return [mapped(child) for child in value] if isinstance(value, list) else value


def slots(tree):
    """Every (container, place) in the tree; a place indexes `pairs` or the list."""
    found, todo = [], [tree]
    while todo:
        one = todo.pop()
        held = one.pairs if isinstance(one, Map) else one if isinstance(one, list) else ()
        for place, item in enumerate(held):
            found.append((one, place))
            todo.append(item[1] if isinstance(one, Map) else item)
    return found


def get(container, place):
    return container.pairs[place][1] if isinstance(container, Map) else container[place]


def put(container, place, value):
    if isinstance(container, Map):
        container.pairs[place][1] = value
    else:
        container[place] = value


def mutate(tree, luck):
    """One change somewhere in the tree; says which."""
    places = slots(tree)
    if not places:
        return "nothing"
    change = luck.choices(list(CHANGES), [weight for _, weight in CHANGES.values()])[0]
    numbers = [one for one in places if type(get(*one)) in (int, float)]
    texts = [one for one in places if isinstance(get(*one), str)]
    at = luck.choice({"number": numbers, "text": texts}.get(change) or places)
    CHANGES[change][0](tree, *at, luck, places)
    return change


def _value(_, container, place, luck, __):
    put(container, place, hostile(luck))


def _number(_, container, place, luck, __):
    value = get(container, place)
    if type(value) not in (int, float):
        return _value(_, container, place, luck, __)
    number = luck.choice(
        [-value, value * 10.0 ** luck.randint(-12, 12), value + 0.5, value - 1e-9, str(value), [value]]
    )
    return put(container, place, Raw(luck.choice(NUMBERS)) if luck.random() < 0.6 else number)


def _text(_, container, place, luck, __):
    value = get(container, place)
    if not isinstance(value, str):
        return _value(_, container, place, luck, __)
    cut = luck.randint(0, len(value))
    swapped = (
        value[:cut] + luck.choice(["", "x", "\u0430", "\u202e", "\n", " ", ".", "/", "é", "\x1b[2J"]) + value[cut + 1 :]
    )
    return put(container, place, luck.choice([swapped, value.upper(), value * 2, Raw(luck.choice(TEXTS + PATHS))]))


def _delete(_, container, place, luck, __):
    del (container.pairs if isinstance(container, Map) else container)[place]


def _repeat(_, container, place, luck, __):
    held = container.pairs if isinstance(container, Map) else container
    held.insert(luck.randint(0, len(held)), list(held[place]) if isinstance(container, Map) else held[place])


def _many(_, container, place, luck, __):
    count = luck.choice([3, 50, 1000, 5000])
    if isinstance(container, Map):
        key, value = container.pairs[place]
        container.pairs += [[f"{key}{k}", value] for k in range(min(count, 200))]
    else:
        container.extend([container[place]] * count)


def _rename(_, container, place, luck, __):
    if not isinstance(container, Map):
        return _value(_, container, place, luck, __)
    key = str(container.pairs[place][0])
    cut = luck.randint(0, max(len(key) - 1, 0))
    names = [
        key[:cut] + key[cut + 1 :],
        key.upper(),
        f"{key}x",
        f"{key}.{key}",
        f"x.{key}",
        "*",
        "like",
        "extends",
        "type",
    ]
    names += [Raw(luck.choice(TEXTS)), Raw(luck.choice(NUMBERS)), "kind", "law", "designs", "catalogue", "file", "<<"]
    container.pairs[place][0] = luck.choice(names)
    return None


def _move(tree, container, place, luck, places):
    other, there = luck.choice(places)
    mine, theirs = get(container, place), get(other, there)
    if holds(mine, other) or holds(theirs, container):
        return
    put(other, there, mine)
    put(container, place, theirs)


def holds(value, container):
    return value is container or any(one[0] is container for one in slots(value))


def _wrap(_, container, place, luck, __):
    value = get(container, place)
    put(container, place, luck.choice([[value], Map([["value", value]]), Map([["x", value]]), Map([["*", value]])]))


def _insert(_, container, place, luck, __):
    if isinstance(container, Map):
        names = [
            "nonsense",
            "source",
            "value",
            "file",
            "policy_file",
            "count",
            "seed",
            "law",
            "type",
            "like",
            "<<",
            "1",
        ]
        container.pairs.insert(place, [luck.choice(names), hostile(luck)])
    else:
        container.insert(place, hostile(luck))


CHANGES = {
    "number": (_number, 30),
    "value": (_value, 22),
    "text": (_text, 8),
    "delete": (_delete, 8),
    "rename": (_rename, 9),
    "repeat": (_repeat, 4),
    "many": (_many, 3),
    "move": (_move, 6),
    "wrap": (_wrap, 4),
    "insert": (_insert, 6),
}

_PLAIN = re.compile(r"[A-Za-z_][\w-]*")


def key_text(key):
    if isinstance(key, Raw):
        return key.text
    return key if (isinstance(key, str) and _PLAIN.fullmatch(key)) or key == "<<" else json.dumps(str(key))


def scalar_text(value):
    return value.text if isinstance(value, Raw) else json.dumps(value)


def flow(value):
    if isinstance(value, Map):
        return "{" + ", ".join(f"{key_text(key)}: {flow(child)}" for key, child in value.pairs) + "}"
    return "[" + ", ".join(map(flow, value)) + "]" if isinstance(value, list) else scalar_text(value)


def yaml_text(tree, indent=0):
    """The tree as YAML: blocks for mappings down to the fifth level, one line for what is below."""
    if not isinstance(tree, Map) or not tree.pairs or indent > 8:
        return flow(tree) + "\n"
    lines = []
    for key, child in tree.pairs:
        below = isinstance(child, Map) and child.pairs and indent < 8
        text = "\n" + yaml_text(child, indent + 2) if below else " " + flow(child) + "\n"
        lines.append(" " * indent + key_text(key) + ":" + text)
    return "".join(lines)


def json_text(tree):
    if isinstance(tree, Map):
        inside = (f"{json.dumps(str(getattr(key, 'text', key)))}: {json_text(child)}" for key, child in tree.pairs)
        return "{" + ", ".join(inside) + "}"
    if isinstance(tree, list):
        return "[" + ",\n".join(map(json_text, tree)) + "]"
    if isinstance(tree, Raw):
        text = tree.text.replace(".nan", "NaN").replace(".inf", "Infinity")
        return text if re.fullmatch(r"-?[\d.e+-]+|-?NaN|-?Infinity|true|null|[\[\]1{}a: ]+", text) else json.dumps(text)
    return json.dumps(tree)
