"""Holds `graphrun schema` to models: test_schema.py ROOT GRAPHRUN

A JSON Schema validator must take every bundled model, the examples' and the guide's, and must find those mistakes of
tests/language/wrong that a schema can see: of FOUND, folder by folder, and none of BEYOND, which names and shapes decide.
"""

import json
import pathlib
import re
import subprocess
import sys

import jsonschema
import yaml


class Loader(yaml.SafeLoader):
    """Plain scalars as the model language reads them: `no` and 010 are texts, 1e-3 is a number."""


Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in [
    ("bool", r"true|false", "tf"),
    ("null", r"null|", ["n", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", "-+.0123456789"),
]:
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{pattern})$"), list(first))

# What a schema finds, at least: files of tests/language/wrong.
FOUND = """
sections/section_unknown sections/section_far sections/version_two sections/name_list
inputs/input_key_unknown inputs/input_from inputs/input_shape_zero
nodes/node_without_op nodes/node_name_dot attributes/attribute_unknown attributes/attribute_unknown_none
attributes/attribute_flag attributes/attribute_word attributes/init_argument attributes/init_unknown attributes/init_number
blocks/block_key blocks/block_out_missing blocks/block_argument_missing blocks/block_argument_misspelt
loss/loss_key sections/metric_weight loss/loss_reduce probes/probe_unknown probes/probe_key probes/probe_k_zero
schedules/schedule_key schedules/schedule_without_end
data/data_key data/data_without_images data/data_channels data/data_divide_by
optimizer/optimizer_unknown optimizer/optimizer_setting optimizer/optimizer_range optimizer/optimizer_clip
optimizer/optimizer_lr_negative optimizer/optimizer_without_op optimizer/optimizer_flag
train/train_key train/train_batch_zero train/train_epochs_float train/train_partial train/train_draws train/stop_no_metric
train/subset_key train/pictures_negative phases/phase_key phases/phase_without_name phases/phase_draws_zero
greedy/greedy_key greedy/greedy_no_decoder alternate/alternate_every_zero alternate/alternate_step_key
elsewhere/learning_rate elsewhere/batch_size elsewhere/epoch elsewhere/out_features elsewhere/shape_none
elsewhere/dtype_float32 elsewhere/init_kaiming elsewhere/optimizer_capital
""".split()
BEYOND = "nodes/node_unknown shapes/matmul_sizes nodes/cycle_of_two values/value_cycle train/train_nothing_learnt".split()


def right_models(root):
    for pattern in ["models/**/*.yaml", "examples/**/*.yaml"]:
        for path in sorted(root.glob(pattern)):
            yield path.name, path.read_text(encoding="utf-8")
    guide = (root / "docs/model-language.md").read_text(encoding="utf-8")
    for number, text in enumerate(re.findall(r"^```yaml\n(graphrun: 1\n.*?)^```", guide, re.DOTALL | re.MULTILINE), 1):
        yield f"model {number} of the guide", text


def main():
    root, program = pathlib.Path(sys.argv[1]), sys.argv[2]
    schema = json.loads(subprocess.run([program, "schema"], check=True, capture_output=True, text=True).stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    faults, count = [], 0
    for name, text in right_models(root):
        count += 1
        for error in validator.iter_errors(yaml.load(text, Loader)):
            faults.append(f"{name}: a right model is refused at {list(error.absolute_path)}: {error.message[:300]}")
    if count < 10:
        faults.append(f"only {count} right models were found")
    wrong = root / "tests/language/wrong"
    seen = set()
    for path in sorted(wrong.glob("*/*.yaml")):
        try:
            model = yaml.load(path.read_bytes(), Loader)
        except (yaml.YAMLError, UnicodeDecodeError, ValueError):
            continue  # no editor gets as far as the schema
        if not validator.is_valid(model):
            seen.add(path.relative_to(wrong).with_suffix("").as_posix())
    faults += [f"{name}.yaml is wrong, but valid" for name in FOUND if name not in seen]
    faults += [f"{name}.yaml is found: move it to FOUND" for name in BEYOND if name in seen]
    for name in FOUND + BEYOND:
        if not (wrong / f"{name}.yaml").exists():
            faults.append(f"there is no {name}.yaml")
    print("\n".join(faults) or f"{count} right models are valid; {len(seen)} wrong ones are found")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
