"""The JSON Schema of scenario files, made from the types, for editors.

With it an editor that has a YAML language server completes keys, shows what
they mean and marks mistakes. The loader checks far more than a schema can.
"""

from typing import Any

from ipvsload.scenario.actions import SCENARIO_ACTIONS
from ipvsload.scenario.model import Scenario

DIALECT = "https://json-schema.org/draft/2020-12/schema"
IDENTIFIER = "urn:ipvsload:scenario"


def json_schema() -> dict[str, Any]:
    """The schema as a JSON-ready dict, draft 2020-12."""
    made = _tidy(Scenario.model_json_schema(mode="validation"))
    made["$defs"]["Step"]["oneOf"] = [{"required": [action]} for action in SCENARIO_ACTIONS]
    file = {"arrivals": {"not": {"enum": ["even", "poisson"]}}}
    made["$defs"]["Traffic"]["oneOf"] = [
        {"required": ["users"]},
        {"required": ["rate"]},
        {"required": ["arrivals"], "properties": file},
    ]
    made["properties"]["traffic"]["additionalProperties"] = False
    made["properties"]["expect"]["additionalProperties"] = False
    del made["title"]
    return {"$schema": DIALECT, "$id": IDENTIFIER, "title": "ipvsload scenario", **made}


def _tidy(node: Any) -> Any:
    """The schema without nulls, which no scenario has, and without titles that repeat a key."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: _tidy(item) for key, item in node.items() if not (key == "default" and item is None)
    }
    if "title" in kept and isinstance(kept["title"], str) and "properties" not in kept:
        del kept["title"]
    choices = kept.get("anyOf")
    if isinstance(choices, list):
        choices = [choice for choice in choices if choice != {"type": "null"}]
        if len(choices) == 1:
            del kept["anyOf"]
            kept = {**choices[0], **kept}
        else:
            kept["anyOf"] = choices
    return kept
