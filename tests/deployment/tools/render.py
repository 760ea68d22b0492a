"""Renders the chart with Helm's own engine and holds every object against Kubernetes' schemas.

Prints one JSON document: for each file of values what it gives or why it is refused; the versions come as arguments.
"""

import json
import os
import pathlib
import sys

import helm_python
import kubernetes_validate
import yaml

chart_folder, values_folder, wrong_folder, rules_folder, *versions = sys.argv[1:]
known = {}


def loader():
    """YAML as Kubernetes reads it: 0440 is octal, and nothing becomes a date."""
    return yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader


def complaints(document):
    """What each version's schema has against an object; unknown kinds are named."""
    found = []
    for version in versions:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            return None
        except kubernetes_validate.ValidationError as error:
            found.append(f"{version}: {'.'.join(map(str, error.path))}: {error.message}")
    return found


def rendered(chart, values):
    objects, notes = [], ""
    for path, text in sorted(chart.render(values, name="demo", namespace="prod").items()):
        if path.endswith("NOTES.txt"):
            notes = text
            continue
        for document in yaml.load_all(text, Loader=loader()):
            if document is None:
                continue
            key = json.dumps(document, sort_keys=True)
            if key not in known:
                known[key] = complaints(document)
            objects.append({"path": path, "object": document, "complaints": known[key]})
    return {"objects": objects, "notes": notes}


def files(folder):
    return sorted(pathlib.Path(folder).glob("*.yaml"))


# The Go library tells of linked folders on standard error, which is of no use to anybody here.
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
good, bad = {}, {}
with helm_python.Chart.load(chart_folder) as chart:
    for file in files(values_folder):
        values = yaml.load(file.read_text(), Loader=loader()) or {}
        try:
            good[file.stem] = rendered(chart, values)
            lint = helm_python.lint(chart_folder, values, strict=True)
            good[file.stem]["lint"] = [m["error"] for m in lint["messages"] if m["severity"] > 1] + lint["errors"]
        except helm_python.HelmError as error:
            good[file.stem] = {"refused": str(error)}
    for file in files(wrong_folder):
        try:
            chart.render(yaml.load(file.read_text(), Loader=loader()), name="demo", namespace="prod")
            bad[file.stem] = ""
        except helm_python.HelmError as error:
            bad[file.stem] = str(error)
rules = pathlib.Path(rules_folder)
groups = [
    group
    for file in [rules / "recording.yml", rules / "alerts.yml"]
    if file.exists()
    for group in yaml.load(file.read_text(), Loader=loader())["groups"]
]
defaults = yaml.load((pathlib.Path(chart_folder) / "values.yaml").read_text(), Loader=loader())
json.dump({"good": good, "bad": bad, "groups": groups, "defaults": defaults}, sys.stdout)
