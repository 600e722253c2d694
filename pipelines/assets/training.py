"""Model assets: each materialisation trains, judges and registers a version. Not partitioned."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from models import card as model_card
from models import card_evidence
from models import pictures as model_pictures
from models.catalogue import MODELS
from models.promotion import ENOUGH_ADVERSE, RULES, Verdict
from models.spec import ModelSpec
from pipelines import decisions, flows, glance, lifecycle, reporting
from pipelines.assets import DEPLOYMENT, OWNERS, WEEKLY
from pipelines.deployment import Deployment
from pipelines.discretion import discreet
from pipelines.pictures import embedded
from pipelines.reporting import key_of
from warehouse.catalog import OUTCOMES
from warehouse.errors import BorderlakeError


def model_key(spec: ModelSpec) -> dg.AssetKey:
    """`models/<name>`."""
    return dg.AssetKey(["models", spec.name])


def _model(spec: ModelSpec) -> dg.AssetsDefinition:
    key = model_key(spec)

    @dg.asset(
        key=key,
        deps=[key_of(flows.feature_table(spec.subject)), key_of(OUTCOMES)],
        description=(
            f"{spec.title}. LightGBM with native categoricals, calibrated, judged on days it never saw; registered in "
            "MLflow as challenger. It becomes champion when it meets every rule of the promotion gate."
        ),
        group_name="models",
        owners=OWNERS["models"],
        kinds={"lightgbm", "mlflow"},
        freshness_policy=WEEKLY,
        code_version=spec.digest,
        metadata={"purpose": str(spec.purpose), "features": len(spec.features()), "seed": spec.seed},
        required_resource_keys={DEPLOYMENT},
        check_specs=_check_specs(key),
    )
    @discreet
    def model(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        deployment: Deployment = getattr(context.resources, DEPLOYMENT)
        try:
            result = lifecycle.train_model(deployment, spec, datetime.now(UTC))
        except BorderlakeError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        context.log_event(reporting.materialized(deployment, decisions.DECISIONS))
        return dg.MaterializeResult(
            data_version=dg.DataVersion(f"{spec.name}@{result.registered.version}"),
            metadata=_shown(spec, result),
            check_results=_checked(result),
        )

    return model


def _check_specs(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            "better_than_chance",
            asset=key,
            description=(
                "The area under the ROC curve is above one half, beyond noise. Blocks the scores where the test "
                f"days hold at least {ENOUGH_ADVERSE} adverse outcomes; with fewer it says nothing and only warns."
            ),
            blocking=True,
        ),
        dg.AssetCheckSpec(
            "calibrated",
            asset=key,
            description=(
                f"The gate's rule: {RULES['calibrated']}; 1 is calibrated, less is overconfident. Where it is not met, "
                "ranks stand, probabilities do not: see the calibration picture."
            ),
        ),
        dg.AssetCheckSpec(
            "meets_the_gate",
            asset=key,
            description=(
                f"It may be champion: {'; '.join(RULES.values())}. Warns: then the champion stays. The verdict tells "
                "what each rule found; `borderlake model promote` overrides it, with a reason that is kept."
            ),
        ),
    ]


def _shown(spec: ModelSpec, result: lifecycle.Training) -> dict[str, Any]:
    """What an analyst sees of a version."""
    trained, registered = result.trained, result.registered
    return {
        "version": registered.version,
        "alias": registered.alias or "none",
        "gate": told(result.verdict),
        "gate, rule by rule": dg.MetadataValue.md(gate_table(result.verdict)),
        "model card": dg.MetadataValue.md(model_card.markdown(result.card)),
        "figures on the test days": dg.MetadataValue.md(figures_table(result)),
        "at a glance": glance.curve(
            [(point["predicted"], point["observed"]) for point in trained.reliability],
            "observed share against predicted, test days",
        ),
        "calibration": embedded(model_pictures.calibration_curve(trained.reliability, spec.title), "calibration"),
        "feature importance": embedded(
            model_pictures.feature_importance(trained.importance, spec.title), "feature importance"
        ),
        "rows": dict(trained.rows),
        "trees": trained.trees,
        "mlflow run": registered.run_id,
    }


def _checked(result: lifecycle.Training) -> list[dg.AssetCheckResult]:
    trained, verdict = result.trained, result.verdict
    auc, calibrated = trained.figures["auc"], verdict.rule("calibrated")
    adverse = int(trained.split.test["is_adverse"].sum())
    of_rules = {f"{rule.name} {name}": value for rule in verdict.rules for name, value in rule.figures.items()}
    return [
        dg.AssetCheckResult(
            check_name="better_than_chance",
            passed=auc.low > 0.5,
            severity=dg.AssetCheckSeverity.ERROR if adverse >= ENOUGH_ADVERSE else dg.AssetCheckSeverity.WARN,
            description=(
                f"AUC {auc.value:.3f}, its 95 % interval from {auc.low:.3f}; above 0.5 is better than chance. Judged "
                f"by {adverse:,} adverse outcomes."
            ),
            metadata={"auc": auc.value, "low": auc.low, "adverse outcomes of the test days": adverse},
        ),
        dg.AssetCheckResult(
            check_name="calibrated",
            passed=calibrated.passed,
            severity=dg.AssetCheckSeverity.WARN,
            description=calibrated.said,
            metadata=dict(calibrated.figures),
        ),
        dg.AssetCheckResult(
            check_name="meets_the_gate",
            passed=verdict.passed,
            severity=dg.AssetCheckSeverity.WARN,
            description=told(verdict),
            metadata={"verdict": dg.MetadataValue.md(gate_table(verdict)), **of_rules},
        ),
    ]


def told(verdict: Verdict) -> str:
    """The verdict in a sentence: what is not met, and what was found there."""
    unmet = [f"{rule.name.replace('_', ' ')} ({rule.said})" for rule in verdict.rules if not rule.passed]
    if not unmet:
        return f"All {len(verdict.rules)} rules of the promotion gate are met."
    return f"{len(unmet)} of {len(verdict.rules)} rules of the promotion gate are not met: {'; '.join(unmet)}."


def gate_table(verdict: Verdict) -> str:
    """The rules of the gate, what each found and whether it is met, as a Markdown table."""
    rows = [
        f"| {'met' if rule.passed else '**not met**'} | {rule.name.replace('_', ' ')} | {reporting.cell(rule.said)} |"
        for rule in verdict.rules
    ]
    return "\n".join(["| | rule | what was found |", "|---|---|---|", *rows])


def figures_table(result: lifecycle.Training) -> str:
    """The figures as a Markdown table, under the names that the model card has for them."""
    lines = ["| figure | value | 95 % interval |", "|---|---|---|"]
    for name, figure in result.trained.figures.items():
        lines.append(f"| {card_evidence.spoken(name)} | {figure.value:.3f} | {figure.low:.3f} to {figure.high:.3f} |")
    return "\n".join(lines)


model_assets = [_model(spec) for spec in MODELS.values()]
