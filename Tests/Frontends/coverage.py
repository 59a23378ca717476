"""Every definition of an operator in ONNX beside what `martlet ops --coverage --json` says is read, attributes and numbers
of inputs included.

    python3 coverage.py MARTLET

Needs onnx.
"""
import collections
import json
import subprocess
import sys

from onnx import defs

NEWEST = {"": 28, "ai.onnx.ml": 5}
OLDEST = 7

table = json.loads(subprocess.run([sys.argv[1], "ops", "--coverage", "--json"], capture_output=True, text=True, check=True).stdout)
listed = {row["name"]: row for row in table["onnx"]}
mappings = collections.defaultdict(list)
for row in table["mappings"]:
    mappings[row["name"]].append(row)
schemas = collections.defaultdict(list)
for schema in defs.get_all_schemas_with_history():
    schemas[schema.domain, schema.name].append(schema)
counts, read = collections.Counter(), collections.Counter()
for (domain, short), versions in sorted(schemas.items()):
    versions.sort(key=lambda schema: schema.since_version)
    name = f"{domain}.{short}" if domain else short
    for schema, after in zip(versions, versions[1:] + [None]):
        end = after.since_version - 1 if after else NEWEST.get(domain, 1)
        start = schema.since_version if domain else max(schema.since_version, OLDEST)
        if schema.deprecated or end < start:
            continue
        counts[domain] += 1
        if start not in listed.get(name, {"defined": []})["defined"]:
            print(f"{name} {start}: not in the table of definitions")
        rows = [row for row in mappings[name] if row["versions"][0][0] <= end and row["versions"][0][1] >= start]
        if not rows:
            print(f"{name} {start} to {end}: not read")
            continue
        read[domain] += 1
        low, high = schema.min_input, schema.max_input
        for row in rows:
            missing = sorted(set(schema.attributes) - set(row["attributes"]))
            if missing:
                print(f"{name} {start} to {end}: attributes {missing} are not known")
            least, most = row["inputs"][0]
            if least > low or most < min(high, 2**31 - 1):
                print(f"{name} {start} to {end}: takes {low} to {high} inputs, {least} to {most} are read")
for domain, count in counts.items():
    print(f"{domain or 'ai.onnx'}: {read[domain]} of {count} definitions are read")
