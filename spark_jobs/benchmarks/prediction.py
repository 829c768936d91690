"""How fast the champion predicts inside Spark's executors, beside the same model in one plain process.

    python -m spark_jobs.benchmarks.prediction --source tafeng

Every active customer with a sequence of the newest published night, after a few of them for whom nobody looks at the
clock: the model is loaded and its graph traced. Spark has two tasks at a time, each with its share of the processors;
the plain process lets TensorFlow have all of them.
"""

import argparse
import json
import os
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from pyspark.sql import functions as F

from models.baselines.frequency_forecast import FrequencyForecast
from models.keys import keys_of
from pipeline.benchmarks.subprocesses import run_module
from pipeline.dataset.candidates import CandidateSource
from pipeline.dataset.histories import read_parts
from pipeline.dataset.next_baskets import days_since, load_forecaster, predicted_basket, translated
from pipeline.dataset.prediction_rows import NextBasketPredictor, next_basket_predictor
from pipeline.dataset.vocabulary import product_names
from pipeline.lake.lake import LakeError
from pipeline.nightly.environment import spark_environment
from pipeline.settings import Settings
from pipeline.sources.source import load_source
from pipeline.tables.catalog import table
from pipeline.task import PredictionInput
from pipeline.tasks.catalog import NEXT_BASKET
from pipeline.tracking.registry import Registry
from pipeline.workspace import Workspace
from spark_jobs.predict_baskets import active_funnels, measure_frequencies
from spark_jobs.prediction import predict
from spark_jobs.session import open_session

WARM_UP = 50  # one in so many


class Night:
    """The newest published tables of a source, and the champion."""

    def __init__(self, source: str) -> None:
        self.settings = Settings()
        name = load_source(source).name
        self.lake = Workspace.of(self.settings, name).lake
        self.versions = {each: self.lake.resolve(each) for each in ("sequences", "baskets", "vocabulary")}
        self.folders = {each: self.lake.path(each, version) for each, version in self.versions.items()}
        self.business_date = self.lake.manifest("sequences", self.versions["sequences"]).business_date
        found = Registry(self.settings, name, NEXT_BASKET).champion()
        if found is None:
            raise LakeError(f"source {name} has no champion; run `larder nightly --source {source}` first")
        self.model = found.served(NEXT_BASKET)

    def predictor(self, frequencies: dict[str, FrequencyForecast]) -> NextBasketPredictor:
        """What the night's job would send to its executors."""
        return next_basket_predictor(
            PredictionInput(self.business_date, self.settings, self.folders, self.model, frequencies)
        )


def in_spark(night: Night) -> dict[str, float]:
    """Customers and seconds in Spark."""
    spark = open_session("benchmark_prediction", night.settings)
    frames = {name: spark.read.schema(table(name).ddl).parquet(str(path)) for name, path in night.folders.items()}
    predictor = night.predictor(measure_frequencies(**frames))
    active_days = night.settings.prediction.active_days
    first = night.business_date - timedelta(days=active_days)
    active = (F.col("funnel_kind") == "customer") & (F.col("last_sold_on") >= F.lit(first))
    customers = frames["sequences"].filter(active).cache()
    frames["baskets"] = frames["baskets"].limit(0)  # of customers without a sequence
    count, seconds = customers.count(), 0.0
    for asked in (customers.filter(F.crc32("funnel_id") % WARM_UP == 0), customers):
        started = time.perf_counter()
        rows = active_funnels(
            **frames | {"sequences": asked}, business_date=night.business_date, active_days=active_days
        )
        predict(rows, NEXT_BASKET, predictor).write.format("noop").mode("overwrite").save()
        seconds = time.perf_counter() - started
    spark.stop()
    return {"customers": count, "seconds": seconds}


def plainly(night: Night) -> dict[str, float]:
    """The same of one process."""
    champion = night.predictor({}).champion
    assert champion is not None
    memory = CandidateSource.of_histories(champion.remembered, champion.n_candidates)
    settings = night.settings.prediction
    forecaster = load_forecaster(champion.model, predicted_basket(settings), champion.cut, memory)
    names = keys_of(product_names(night.folders["vocabulary"]))
    parts = [translated(part, names, forecaster.product_keys) for part in read_parts(night.folders["sequences"])]
    active = []
    for part in parts:
        elapsed = days_since(part, night.business_date)
        active.append((elapsed, np.flatnonzero((part.kinds == "customer") & (elapsed <= settings.active_days))))
    seconds = 0.0
    for one_in in (WARM_UP, 1):
        started = time.perf_counter()
        for part, (elapsed, funnels) in zip(parts, active, strict=True):
            asked = funnels[::one_in]
            if len(asked):
                forecaster.forecast(part, asked, elapsed[asked], settings.batch_size)
        seconds = time.perf_counter() - started
    return {"customers": sum(len(funnels) for _, funnels in active), "seconds": seconds}


def main() -> None:
    """Measure both, each in a process of its own, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", required=True, help="a source whose nights have filled its lake")
    parser.add_argument("--only", choices=["spark", "plain"], help="one of both, in this process")
    parser.add_argument("--out", type=Path, help="folder for prediction.md")
    parser.add_argument("--measured-on", default=str(date.today()), help="day to write beside the figures")
    asked = parser.parse_args()
    if asked.only is not None:
        print(json.dumps((in_spark if asked.only == "spark" else plainly)(Night(asked.source))))
        return
    found: dict[str, dict[str, float]] = {}
    for kind in ("spark", "plain"):
        arguments = ["--source", asked.source, "--only", kind]
        said = run_module("spark_jobs.benchmarks.prediction", arguments, kind, os.environ | spark_environment())
        found[kind] = json.loads(said.splitlines()[-1])
    text = page(asked.source, found, asked.measured_on)
    print(text)
    if asked.out is not None:
        asked.out.mkdir(parents=True, exist_ok=True)
        (asked.out / "prediction.md").write_text(text)


def page(source: str, found: dict[str, dict[str, float]], measured_on: str) -> str:
    """Seconds and rate of each as Markdown."""
    rate = {kind: each["customers"] / each["seconds"] for kind, each in found.items()}
    return "\n".join(
        [
            f"# Prediction inside Spark: {source}\n",
            f"`python -m spark_jobs.benchmarks.prediction --source {source}`, measured on {measured_on}, "
            f"{os.cpu_count()} processors.",
            "Each after a warm-up; Spark has two tasks at a time, the plain process all processors.\n",
            "| | customers | seconds | customers a second |",
            "|---|---|---|---|",
            *(
                f"| {kind} | {each['customers']:,.0f} | {each['seconds']:.1f} | {rate[kind]:.0f} |"
                for kind, each in found.items()
            ),
            f"\nSpark has {rate['spark'] / rate['plain']:.0%} of the plain rate.\n",
        ]
    )


if __name__ == "__main__":
    main()
