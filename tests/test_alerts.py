"""Alert rules: what promtool would find by running them."""

import re
from pathlib import Path

import yaml

RULES = Path(__file__).parents[1] / "ops" / "alerts.yml"


def expressions() -> dict[str, str]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}


def test_both_sides_of_a_ratio_have_the_same_labels() -> None:
    """A sum has none, a series those of its target: between them a ratio is always empty."""
    uneven = {}
    for name, expression in expressions().items():
        for part in re.split(r"\b(?:and|or|unless)\b|[<>]=?", expression):
            sides = part.split("/")
            if len({"sum" in side for side in sides}) > 1:
                uneven[name] = part.strip()
    assert uneven == {}
