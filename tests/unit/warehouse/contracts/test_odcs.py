"""Contracts as Open Data Contract Standard 3.1: the standard's own schema and model take every one."""

import json

import jsonschema
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from warehouse.contracts import CONTRACTS, Contract
from warehouse.contracts.odcs import API_VERSION, as_yaml, document

EVERY_CONTRACT = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=list(CONTRACTS))
SCHEMA = json.loads(OpenDataContractStandard.json_schema())


@EVERY_CONTRACT
def test_the_standards_own_schema_and_model_take_it(contract: Contract) -> None:
    text = as_yaml(document(contract))
    validator = jsonschema.validators.validator_for(SCHEMA)(SCHEMA)
    assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []
    read = OpenDataContractStandard.from_string(text)
    assert (read.apiVersion, read.version) == (API_VERSION, str(contract.version))
    assert read.servers is None
    assert [column.name for column in read.schema_[0].properties] == list(contract.columns())


@EVERY_CONTRACT
def test_nothing_of_the_contract_is_lost(contract: Contract) -> None:
    made = document(contract)
    (table,) = made["schema"]
    columns = {column["name"]: column for column in table["properties"]}
    key = sorted((one["primaryKeyPosition"], name) for name, one in columns.items() if "primaryKey" in one)
    assert tuple(name for _, name in key) == contract.key
    assert {name for name, one in columns.items() if one.get("tags") == ["personal"]} == contract.personal()
    assert {role["role"] for role in made["roles"]} == {purpose.value for purpose in contract.purposes}
    rules = {rule["name"] for rule in table["quality"]}
    assert set(contract.row_rules()) | {one.name for one in contract.consistencies} < rules
    service = {one["property"]: one["value"] for one in made["slaProperties"]}
    assert service == {"frequency": 1.0, "retention": contract.retention_days}


def test_codes_that_yaml_takes_for_something_else_stay_text() -> None:
    made = yaml.safe_load(as_yaml(document(CONTRACTS["customs.declarations"])))
    origin = next(one for one in made["schema"][0]["properties"] if one["name"] == "country_of_origin")
    (rule,) = origin["quality"]
    assert "NO" in rule["arguments"]["validValues"]  # Norway, not "no".
