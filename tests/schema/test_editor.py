"""Completes and explains models by `graphrun schema`, as an editor's language server does: test_editor.py GRAPHRUN

An editor goes from the place of the cursor to the parts of the schema that apply there, by what is written around it, and
offers their properties and shows their descriptions. In the models below ‸ is the cursor.
"""

import json
import subprocess
import sys

import jsonschema
import yaml

from test_schema import Loader

CURSOR = "‸"
MODEL = """graphrun: 1
name: m
inputs:
  x: {{shape: [batch, 8]}}
nodes:
  a: {{op: dense, in: x, units: 3}}
{nodes}
loss: {{r: {{op: mse, in: [a, x]}}}}
{rest}
"""


def model(nodes="", rest=""):
    return MODEL.format(nodes=nodes, rest=rest)


# a model, what is offered at its cursor, what is not
COMPLETIONS = [
    (model(rest=CURSOR + ": 1"), ["train", "data", "outputs", "metrics", "weights", "vars"], ["units", "batch", "epochs"]),
    (model(nodes=f"  b: {{op: dense, in: a, {CURSOR}: 1}}"), ["units", "act", "bias", "repeat", "in"], ["channels", "kernel", "epochs"]),
    (model(nodes=f"  b: {{op: conv2d, in: a, {CURSOR}: 1}}"), ["channels", "kernel", "stride", "groups"], ["units", "lr"]),
    (model(nodes=f"  b: {{op: max_pool, in: a, {CURSOR}: 1}}"), ["kernel", "stride", "pad"], ["channels", "units"]),
    (model(rest=f"train: {{epochs: 1, {CURSOR}: 1}}"), ["batch", "seed", "optimizer", "phases", "stop", "precision"], ["units", "shape"]),
    (model(rest=f"train: {{epochs: 1, optimizer: {{op: adam, {CURSOR}: 1}}}}"), ["lr", "beta1", "clip_norm"], ["momentum", "batch"]),
    (model(rest=f"train: {{epochs: 1, optimizer: {{op: sgd, {CURSOR}: 1}}}}"), ["lr"], ["beta1"]),
    (model(rest=f"train: {{epochs: 1, optimizer: {{op: sgd, lr: {{cosine: {{from: 1, {CURSOR}: 1}}}}}}}}"), ["to", "epochs", "steps"], ["lr"]),
    (model(rest=f"weights: [{{file: w.safetensors, {CURSOR}: 1}}]"), ["from", "map"], ["images"]),
    (model(rest=f"data: {{train: {{images: a.npy, {CURSOR}: 1}}}}"), ["labels", "weights", "targets"], ["epochs"]),
]
# a model with the cursor before a key or a word, and what is said of it
EXPLANATIONS = [
    (model(rest=f"train: {{{CURSOR}epochs: 1}}"), "how often all examples are seen"),
    (model(rest=f"train: {{epochs: 1, stop: {{metric: loss, {CURSOR}patience: 2}}}}"), "better"),
    (model(nodes=f"  b: {{op: max_pool, in: a, {CURSOR}kernel: 2}}"), "height and width of a window"),
    (model(nodes=f"  b: {{op: dense, in: a, units: 2, {CURSOR}repeat: 3}}"), "copies"),
    (model(nodes=f"  b: {{op: {CURSOR}conv2d, in: a}}"), "convolution layer"),
    (model(rest=f"train: {{epochs: 1, optimizer: {{op: {CURSOR}adam}}}}"), "bias corrected"),
    (model(rest=f"{CURSOR}weights: w.safetensors"), "begins with"),
]


class Editor:
    def __init__(self, schema):
        self.schema = schema
        self.resolver = jsonschema.RefResolver.from_schema(schema)

    def is_valid(self, schema, value):
        return jsonschema.Draft7Validator(schema, resolver=self.resolver).is_valid(value)

    def parts(self, schema, value):
        """All parts of a schema that apply to a value."""
        if not isinstance(schema, dict):
            return
        if "$ref" in schema:
            yield from self.parts(self.resolver.resolve(schema["$ref"])[1], value)
            return
        yield schema
        for part in schema.get("allOf", []):
            yield from self.parts(part, value)
        for part in schema.get("anyOf", []) + schema.get("oneOf", []):
            if self.suits(part, value):
                yield from self.parts(part, value)
        if "if" in schema:
            yield from self.parts(schema.get("then" if self.is_valid(schema["if"], value) else "else"), value)

    def suits(self, schema, value):
        """Could a value that is not finished become one of the schema's?"""
        kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
        kind = self.resolver.resolve(schema["$ref"])[1].get("type") if "$ref" in schema else schema.get("type")
        return "const" not in schema and (not isinstance(kind, str) or isinstance(value, kinds[kind])) or schema.get("const") == value

    def at(self, path, value):
        """The parts that apply at a path, and the value there."""
        parts = list(self.parts(self.schema, value))
        for step in path:
            below = []
            for part in parts:
                if isinstance(step, int):
                    below.append(part.get("items"))
                elif step in part.get("properties", {}):
                    below.append(part["properties"][step])
                elif isinstance(part.get("additionalProperties"), dict):
                    below.append(part["additionalProperties"])
            value = value[step]
            parts = [found for part in below for found in self.parts(part, value)]
        return parts, value

    def offered(self, path, value):
        """Names of keys: those that a closed mapping has, if one is."""
        parts, _ = self.at(path, value)
        closed = [set(part["properties"]) for part in parts if part.get("additionalProperties") is False]
        names = {name for part in parts for name in part.get("properties", {})}
        return names.intersection(*closed) if closed else names

    def said(self, path, value):
        parts, _ = self.at(path, value)
        return " / ".join(part["description"] for part in parts if "description" in part)


def path_to(node, offset, path=()):
    """Where a place in the text is: keys and numbers from the top."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.start_mark.index <= offset <= key.end_mark.index:
                return (*path, key.value)
            if value.start_mark.index <= offset <= value.end_mark.index:
                return path_to(value, offset, (*path, key.value))
    if isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            if value.start_mark.index <= offset <= value.end_mark.index:
                return path_to(value, offset, (*path, i))
    return path


def faults_of(editor):
    for text, wanted, unwanted in COMPLETIONS:
        written = text.replace(CURSOR, "new_key")
        path = path_to(yaml.compose(written, Loader), text.index(CURSOR))
        names = editor.offered(path[:-1], yaml.load(written, Loader))
        missing, odd = set(wanted) - names, set(unwanted) & names
        if path[-1] != "new_key" or missing or odd:
            yield f"at {path}: {sorted(missing)} are not offered, {sorted(odd)} are"
    for text, words in EXPLANATIONS:
        written = text.replace(CURSOR, "")
        path = path_to(yaml.compose(written, Loader), text.index(CURSOR))
        said = editor.said(path, yaml.load(written, Loader))
        if words not in said:
            yield f"at {path} is said: {said}"


def main():
    schema = json.loads(subprocess.run([sys.argv[1], "schema"], check=True, capture_output=True, text=True).stdout)
    faults = list(faults_of(Editor(schema)))
    print("\n".join(faults) or f"{len(COMPLETIONS)} completions, {len(EXPLANATIONS)} explanations")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
