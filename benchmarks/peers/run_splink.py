"""Measures Splink on the same data, with the same columns of output, as
`go run ./benchmarks/quality` does for sama.

    pip install -r requirements.txt
    python run_splink.py --data ../../../shared/data/eval [set …]

Splink has to be told what the columns are, how they are compared, which rules
bring pairs together and where matches begin. Here that is done by hand, once
per family of data, as its documentation advises:

    address   persons with a street address: names, date of birth, address parts
    few       persons with few fields: names, date of birth, and what else there is

The threshold is probability .95. "best" shows the F1 that would have been
reached at the best threshold, which only the truth can tell. Clusters are
connected components. Times and memory are those of a process of its own per set,
its start and imports included, scoring left out.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time

START = time.monotonic()

# What the columns are. "dob" may be made of several columns.
PERSONS_WITH_ADDRESS = {
    "first_name": "given_name", "surname": "surname", "dob": "date_of_birth", "number": "street_number",
    "street": "address_1", "place": "address_2", "city": "suburb", "postcode": "postcode", "state": "state",
}
SETS = {
    "febrl1": ("address", PERSONS_WITH_ADDRESS),
    "febrl2": ("address", PERSONS_WITH_ADDRESS),
    "febrl3": ("address", PERSONS_WITH_ADDRESS),
    "febrl4": ("address", PERSONS_WITH_ADDRESS),
    "febrl_zingg20k": ("address", PERSONS_WITH_ADDRESS),
    "epbrn_f": ("address", PERSONS_WITH_ADDRESS | {"dob": ["year", "month", "day"]}),
    "splink_fake1000": ("few", {"first_name": "first_name", "surname": "surname", "dob": "dob", "city": "city", "email": "email"}),
    "rldata500": ("few", {"first_name": "fname_c1", "surname": "lname_c1", "dob": ["by", "bm", "bd"]}),
    "rldata10000": ("few", {"first_name": "fname_c1", "surname": "lname_c1", "dob": ["by", "bm", "bd"]}),
    "uganda_client_registry": ("few", {"first_name": "given_name", "surname": "surname", "dob": "date_of_birth", "phone": "phone_number"}),
    "anonlink_5party": ("few", {"first_name": "givenname", "surname": "surname", "dob": "dob", "city": "city", "phone": "phone_number", "sex": "gender", "income": "income"}),
}

THRESHOLD = 0.95
LOWEST = 0.001  # pairs below are never looked at


def read(folder, columns):
    """Returns the records under common column names: lower case, blanks trimmed,
    empty as null, dates as digits."""
    import pandas as pd

    raw = pd.read_parquet(os.path.join(folder, "records.parquet")).astype("string")
    out = pd.DataFrame({"unique_id": raw["record_id"]})
    raw = raw.apply(lambda c: c.str.strip().str.lower().replace("", pd.NA))
    for name, source in columns.items():
        if isinstance(source, list):
            parts = [raw[c].str.zfill(2) for c in source]
            out[name] = parts[0].str.cat(parts[1:])
        else:
            out[name] = raw[source]
    out["dob"] = out["dob"].str.replace(r"\D", "", regex=True).replace("", pd.NA)
    return out


def settings(family, columns):
    """Returns the comparisons and the rules that bring pairs together."""
    import splink.comparison_library as cl
    from splink import SettingsCreator, block_on

    def near(column, thresholds):
        return cl.JaroWinklerAtThresholds(column, thresholds).configure(term_frequency_adjustments=True)

    others = {
        "number": lambda c: cl.LevenshteinAtThresholds(c, 1),
        "street": lambda c: near(c, [0.9, 0.75]),
        "place": lambda c: near(c, [0.9]),
        "city": lambda c: near(c, [0.9]),
        "postcode": lambda c: cl.DamerauLevenshteinAtThresholds(c, 1).configure(term_frequency_adjustments=True),
        "state": cl.ExactMatch,
        "email": cl.EmailComparison,
        "phone": lambda c: cl.DamerauLevenshteinAtThresholds(c, [1, 2]),
        "sex": cl.ExactMatch,
        "income": cl.ExactMatch,
    }
    comparisons = [
        cl.NameComparison("first_name").configure(term_frequency_adjustments=True),
        cl.NameComparison("surname").configure(term_frequency_adjustments=True),
        cl.DamerauLevenshteinAtThresholds("dob", [1, 2]),
    ] + [make(c) for c, make in others.items() if c in columns]
    rules = {
        "address": [("first_name", "surname"), ("dob",), ("surname",), ("postcode",), ("street",), ("first_name", "city")],
        "few": [("first_name", "surname"), ("dob",), ("email",), ("phone",), ("income",), ("city", "substr(dob, 1, 3)"), ("surname",), ("first_name", "substr(dob, 1, 4)")],
    }[family]
    rules = [r for r in rules if all(c in columns or "(" in c for c in r)]
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=[block_on(*r) for r in rules],
        retain_matching_columns=False,
    )


def resolve(records, family, columns):
    """Trains, scores, and returns the linker and the scored pairs."""
    from splink import Linker, block_on
    from splink.internals.duckdb.database_api import DuckDBAPI

    linker = Linker(DuckDBAPI().register(records), settings(family, columns), log_level="ERROR")
    # Rules that hardly ever join two persons, and find about 70 % of the matches.
    sure = [block_on("first_name", "dob"), block_on("surname", "dob")]
    if "email" in columns:
        sure.append(block_on("email"))
    linker.training.estimate_probability_two_random_records_match(sure, recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=5e6, seed=1)
    for rule in ["dob", "first_name", "surname"]:
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(rule), record_sample_proportion=1.0)
    return linker, linker.inference.predict(threshold_match_probability=LOWEST)


def clusters(linker, pairs, threshold):
    """Returns the records with their cluster at a threshold."""
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_probability=threshold)
    return found.as_pandas_dataframe()[["unique_id", "cluster_id"]]


def score(found, truth):
    """Returns precision, recall, F1, B-cubed F1 and the share of exact persons."""
    m = found.merge(truth, left_on="unique_id", right_on="record_id", validate="one_to_one")
    assert len(m) == len(truth), "clusters and truth hold different records"
    cells = m.groupby(["cluster_id", "person"]).size()
    of_cluster = m.groupby("cluster_id").size().reindex(cells.index.get_level_values(0)).to_numpy()
    of_person = m.groupby("person").size().reindex(cells.index.get_level_values(1)).to_numpy()
    n = cells.to_numpy()

    def pairs(sizes):
        return float((sizes * (sizes - 1) // 2).sum())

    both = pairs(n)
    found_pairs, true_pairs = pairs(m.groupby("cluster_id").size()), pairs(m.groupby("person").size())
    p, r = both / found_pairs if found_pairs else 1.0, both / true_pairs if true_pairs else 1.0
    bp, br = (n * n / of_cluster).sum() / n.sum(), (n * n / of_person).sum() / n.sum()
    exact = ((n == of_cluster) & (n == of_person)).sum() / m["person"].nunique()
    return {"precision": p, "recall": r, "f1": 2 * both / (found_pairs + true_pairs), "b3": 2 * bp * br / (bp + br), "exact": float(exact)}


def one(data, name):
    """Measures one set and prints a line of JSON."""
    import pandas as pd

    family, columns = SETS[name]
    folder = os.path.join(data, name)
    linker, pairs = resolve(read(folder, columns), family, columns)
    found = clusters(linker, pairs, THRESHOLD)
    used = resource.getrusage(resource.RUSAGE_SELF)
    row = {"wall_s": time.monotonic() - START, "cpu_s": used.ru_utime + used.ru_stime, "peak_mib": used.ru_maxrss // 1024}
    truth = pd.read_parquet(os.path.join(folder, "truth.parquet"))
    truth = truth.rename(columns={"entity_id": "person"})[["record_id", "person"]]
    row |= score(found, truth) | {"set": name, "records": len(truth)}
    row["pairs"] = len(linker.inference.compute_blocked_pairs_for_predict().as_pandas_dataframe())
    best = max((score(clusters(linker, pairs, t), truth)["f1"], -t) for t in [0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999])
    row["best_f1"], row["best_at"] = best[0], -best[1]
    print(json.dumps(row))


def main():
    parser = argparse.ArgumentParser(description="Measures Splink on sets with known truth.")
    parser.add_argument("--data", default=os.path.join("..", "shared", "data", "eval"), help="folder of the sets")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("sets", nargs="*", help="names of sets (default: all that this script knows)")
    args = parser.parse_args()
    unknown = [s for s in args.sets if s not in SETS]
    if unknown:
        parser.error(f"no set-up for {', '.join(unknown)}; there is one for {', '.join(SETS)}")
    if args.one:
        return one(args.data, args.sets[0])
    print(f"{'set':24}{'records':>8}{'P':>8}{'R':>8}{'F1':>8}{'B³':>8}{'exact':>8}{'best F1':>9}{'at':>7}{'pairs':>10}{'wall s':>8}{'CPU s':>8}{'MiB':>6}")
    for name in args.sets or SETS:
        child = subprocess.run([sys.executable, os.path.abspath(__file__), "--data", args.data, "--one", name], capture_output=True, text=True)
        if child.returncode != 0:
            sys.exit(f"{name} failed:\n{child.stderr}")
        r = json.loads(child.stdout.splitlines()[-1])
        print(
            f"{r['set']:24}{r['records']:8}{r['precision']:8.4f}{r['recall']:8.4f}{r['f1']:8.4f}{r['b3']:8.4f}{r['exact']:8.4f}"
            f"{r['best_f1']:9.4f}{r['best_at']:7.3f}{r['pairs']:10}{r['wall_s']:8.2f}{r['cpu_s']:8.2f}{r['peak_mib']:6}",
            flush=True,
        )


if __name__ == "__main__":
    main()
