"""Puts the figures that `versus.py --save` kept into a page, between `<!-- figures NAME -->` and `<!-- end -->`.

    python3 tables.py PAGE.md NAME=FIGURES.json...
"""

import json
import sys
from pathlib import Path

from versus import summary


def table(figures):
    results = [result for result in figures["results"] if "ratio" in result]
    engines = []
    versions = {}
    for result in results:
        for row in result["rows"]:
            if row["engine"] not in engines:
                engines.append(row["engine"])
            versions[row["engine"]] = row.get("version", "")
    threads = sorted({result["threads"] for result in results})
    heads = [f"{engine}, {count}" for count in threads for engine in engines + ["ratio"]]
    lines = ["| model | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
    for model in dict.fromkeys(result["model"] for result in results):
        cells = []
        for count in threads:
            found = [result for result in results if (result["model"], result["threads"]) == (model, count)]
            times = {row["engine"]: row["ms"]["median"] for result in found for row in result["rows"]}
            cells += [f"{times[engine]:.3g}" if engine in times else "" for engine in engines]
            cells.append(f"**{found[0]['ratio']:.2f}**" if found else "")
        lines.append(f"| {model} | " + " | ".join(cells) + " |")
    named = ", ".join(f"{engine} {versions[engine]}".strip() for engine in engines if engine != "martlet")
    target = results[0]["rows"][0].get("target", "")
    about = f"{figures['machine']}, target `{target}`; {figures['martlet']}; {named}. Medians in milliseconds."
    return "\n".join([about, ""] + lines + [""] + [f"{line}." for line in summary(results)])


def main():
    page = Path(sys.argv[1])
    text = page.read_text()
    for word in sys.argv[2:]:
        name, file = word.split("=", 1)
        begin, end = f"<!-- figures {name} -->\n", "<!-- end -->"
        head, rest = text.split(begin, 1)
        tail = rest.split(end, 1)[1]
        text = head + begin + "\n" + table(json.loads(Path(file).read_text())) + "\n\n" + end + tail
    page.write_text(text)


if __name__ == "__main__":
    main()
