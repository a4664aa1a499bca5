#!/usr/bin/env python3
"""Makes the small tables in data/tables, from nothing but chance: make_tables.py [FOLDER]

Machines that pump, whose numbers follow from each other, with missing cells; among the new ones some are
broken. Houses with prices. Ratings of films, of which each person has seen a few. An engine second by second, whose
strokes change now and then among the new ones. The same bytes every time.
"""

import math
import pathlib
import random
import sys

KINDS = {"fan": (0.4, 0.8), "pump": (1.0, 1.0), "valve": (0.2, 1.6)}
SITES = ["north", "south", "east"]


def machine(chance):
    """One that works: its numbers follow from its kind, its site and how fast it turns."""
    kind = chance.choice(sorted(KINDS))
    site = chance.choice(SITES)
    load, slip = KINDS[kind]
    rpm = chance.gauss(1500, 300)
    temp = 20 + rpm / 100 * load + 4 * SITES.index(site) + chance.gauss(0, 1)
    volt = 230 + chance.gauss(0, 3)
    power = volt * rpm * load / 1000 + chance.gauss(0, 4)
    flow = math.exp(chance.gauss(0, 0.15) + rpm / 1500 * slip)
    press = 1000 + 12 * SITES.index(site) + flow + chance.gauss(0, 2)
    return {"temp": temp, "press": press, "rpm": rpm, "flow": flow, "volt": volt, "power": power, "kind": kind, "site": site}


def broken(chance):
    """Each number is one that machines have; together they are none's."""
    row = machine(chance)
    fault = chance.choice(["hot", "leak", "slip", "swap"])
    if fault == "hot":
        row["temp"] += chance.choice([-1, 1]) * chance.uniform(8, 14)
    elif fault == "leak":
        row["flow"] *= chance.choice([0.3, 0.4, 2.5])
    elif fault == "slip":
        row["power"] *= chance.uniform(0.3, 0.5)
    else:
        row["kind"] = chance.choice([kind for kind in sorted(KINDS) if kind != row["kind"]])
    return row


def write(path, names, rows):
    def cell(value):
        return f"{value:.6g}" if isinstance(value, float) else str(value)

    lines = [",".join(names)] + [",".join(cell(row[name]) for name in names) for row in rows]
    path.write_text("\n".join(lines) + "\n")


def write_machines(folder):
    chance = random.Random(1)
    names = ["id", "temp", "press", "rpm", "flow", "volt", "power", "kind", "site"]

    def numbered(rows, first):
        for number, row in enumerate(rows):
            row["id"] = first + number
            for name in names[1:]:
                if chance.random() < 0.02:
                    row[name] = ""
        return rows

    write(folder / "machines.csv", names, numbered([machine(chance) for _ in range(1500)], 1))
    new = [dict(machine(chance), state="works") for _ in range(760)] + [dict(broken(chance), state="broken") for _ in range(40)]
    chance.shuffle(new)
    write(folder / "machines_new.csv", [*names, "state"], numbered(new, 1501))


def write_houses(folder):
    chance = random.Random(2)
    worth = {"centre": 1.5, "river": 1.25, "hill": 1.0, "station": 0.8}
    rows = []
    for _ in range(1200):
        district = chance.choice(sorted(worth))
        size = chance.lognormvariate(4.5, 0.35)
        rooms = max(1, round(size / 28 + chance.gauss(0, 0.6)))
        year = chance.randint(1900, 2020)
        price = 1000 * size * worth[district] * (1 + (year - 1960) / 400) + 6000 * rooms
        rows.append({"district": district, "size": size, "rooms": rooms, "year": year,
                     "price": float(round(price * chance.lognormvariate(0, 0.05)))})
    write(folder / "houses.csv", ["district", "size", "rooms", "year", "price"], rows)


def write_ratings(folder):
    chance = random.Random(3)
    films = [[chance.gauss(0, 1) for _ in range(3)] for _ in range(30)]
    names = [f"film_{number:02d}" for number in range(1, 31)]
    rows = []
    for _ in range(800):
        taste = [chance.gauss(0, 1) for _ in range(3)]
        row = {}
        for name, film in zip(names, films):
            liking = 3 + sum(a * b for a, b in zip(taste, film)) * 0.7 + chance.gauss(0, 0.4)
            row[name] = min(5, max(1, round(liking))) if chance.random() < 0.4 else ""
        rows.append(row)
    write(folder / "ratings.csv", names, rows)


def strokes(chance, first, count, faults):
    """An engine's current and pressure, a stroke after the other; a fault changes one of them."""
    rows = []
    phase = chance.random()
    for number in range(count):
        phase += 1 / (40 + 2 * math.sin(number / 300))
        turn = 2 * math.pi * (phase % 1)
        current = 5 + 2 * math.sin(turn) + 0.8 * math.sin(2 * turn + 0.4) + chance.gauss(0, 0.1)
        pressure = 30 + 6 * math.cos(turn - 0.6) ** 3 + chance.gauss(0, 0.3)
        state = 0
        for begin, length, fault in faults:
            if begin <= number < begin + length:
                state = 1
                if fault == "flat":
                    pressure = 30 + 0.3 * (pressure - 30)
                elif fault == "late":
                    current = 5 + 2 * math.sin(turn + 1.2) + 0.8 * math.sin(2 * turn + 0.4) + chance.gauss(0, 0.1)
                else:
                    current += 0.9 * math.sin(3 * turn)
        rows.append({"second": first + number, "current": current, "pressure": pressure, "odd": state})
    return rows


def write_engine(folder):
    chance = random.Random(4)
    write(folder / "engine.csv", ["second", "current", "pressure"], strokes(chance, 0, 3000, []))
    faults = [(400, 60, "flat"), (1100, 50, "late"), (1700, 60, "shake"), (2300, 40, "flat")]
    rows = strokes(chance, 5000, 2600, faults)
    write(folder / "engine_new.csv", ["second", "current", "pressure", "odd"], rows[:1400] + rows[1450:])


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent / "data" / "tables")
    folder.mkdir(parents=True, exist_ok=True)
    write_machines(folder)
    write_houses(folder)
    write_ratings(folder)
    write_engine(folder)


if __name__ == "__main__":
    main()
