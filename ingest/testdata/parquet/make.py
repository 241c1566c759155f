"""Writes the Parquet files of this folder and, without reading any of them,
kinds.txt: the texts their values must become. See README.md."""

import datetime as dt
import decimal
import pathlib
import random

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

OUT = pathlib.Path(__file__).parent
N = 40
rng = random.Random(7)
UTC = dt.timezone.utc
EPOCH = dt.datetime(1970, 1, 1)


def some(make, nulls=0.2):
    return [None if rng.random() < nulls else make(i) for i in range(N)]


names = ["Aino", "Väinö", "Åsa", "José", "Мария", "李雷", "O'Neill", "Zoë-Marie"]
born = some(lambda i: dt.date(1900, 1, 1) + dt.timedelta(days=rng.randrange(-20000, 60000)))
seen = some(lambda i: EPOCH + dt.timedelta(microseconds=rng.randrange(-10**15, 3 * 10**15)))
local = some(lambda i: EPOCH + dt.timedelta(milliseconds=rng.randrange(-10**12, 3 * 10**12)))
nano = some(lambda i: rng.randrange(-10**18, 3 * 10**18))
hour = some(lambda i: dt.time(rng.randrange(24), rng.randrange(60), rng.randrange(60), rng.randrange(10**6)))
price = some(lambda i: decimal.Decimal(rng.randrange(-10**9, 10**9)).scaleb(-2))
big = some(lambda i: decimal.Decimal(rng.randrange(-10**28, 10**28)).scaleb(-5))
tags = some(lambda i: [rng.choice(names) for _ in range(rng.randrange(4))])
numbers = some(lambda i: [rng.randrange(-99, 99) for _ in range(rng.randrange(4))])

COLUMNS = {
    "id": (pa.int64(), [1000 + i for i in range(N)]),
    "name": (pa.string(), [rng.choice(names) for _ in range(N)]),
    "note": (pa.string(), some(lambda i: f"note {i} " + "x" * rng.randrange(60))),
    "nothing": (pa.string(), [None] * N),
    "count": (pa.int32(), some(lambda i: rng.randrange(-(2**31), 2**31))),
    "small": (pa.int8(), some(lambda i: rng.randrange(-128, 128))),
    "unsigned": (pa.uint64(), some(lambda i: rng.randrange(2**64))),
    "ratio": (pa.float64(), some(lambda i: rng.choice([0.1, 1.5, -2.0, 1e6, 123456789.25, 1e-9, 3e22]))),
    "single": (pa.float32(), some(lambda i: rng.choice([0.5, -1.25, 1024.0, 0.0]))),
    "ok": (pa.bool_(), some(lambda i: rng.random() < 0.5)),
    "born": (pa.date32(), born),
    "seen": (pa.timestamp("us", tz="UTC"), [v and v.replace(tzinfo=UTC) for v in seen]),
    "local": (pa.timestamp("ms"), local),
    "nano": (pa.timestamp("ns"), nano),
    "hour": (pa.time64("us"), hour),
    "price": (pa.decimal128(18, 2), price),
    "big": (pa.decimal128(30, 5), big),
    "tags": (pa.list_(pa.string()), tags),
    "numbers": (pa.list_(pa.int64()), numbers),
}


def fraction(s):
    return s.rstrip("0").rstrip(".")


def number(v):
    if v == 0 or 1e-6 <= abs(v) < 1e21:
        s = f"{decimal.Decimal(repr(float(v))):f}"
        return fraction(s) if "." in s else s
    mantissa, exponent = repr(float(v)).split("e")
    return f"{mantissa}e{int(exponent):+03d}"


def text(name, v):
    if v is None or v == []:
        return ""
    if name in ("tags", "numbers"):
        return "|".join(map(str, v))
    if name in ("ratio", "single"):
        return number(v)
    if name == "ok":
        return str(v).lower()
    if name == "nano":
        sec, ns = divmod(v, 10**9)
        base = (EPOCH + dt.timedelta(seconds=sec)).isoformat()
        return fraction(f"{base}.{ns:09d}")
    if name == "seen":
        v = v.replace(tzinfo=None)
        return fraction(f"{v.replace(microsecond=0).isoformat()}.{v.microsecond:06d}") + "Z"
    if name == "local":
        return fraction(f"{v.replace(microsecond=0).isoformat()}.{v.microsecond:06d}")
    if name == "hour":
        return fraction(f"{v.replace(microsecond=0).isoformat()}.{v.microsecond:06d}")
    if name in ("price", "big"):
        return f"{v:f}"
    return str(v)


def write_expected():
    with open(OUT / "kinds.txt", "w", encoding="utf-8") as f:
        print(*COLUMNS, sep="\t", file=f)
        for i in range(N):
            print(*(text(n, v[i]) for n, (_, v) in COLUMNS.items()), sep="\t", file=f)


def arrow_table():
    return pa.table({n: pa.array(v, type=t) for n, (t, v) in COLUMNS.items()})


def write_pyarrow(t):
    def write(name, **options):
        pq.write_table(t, OUT / f"kinds_pyarrow_{name}.parquet", **options)

    for codec in ("none", "snappy", "gzip", "zstd", "brotli", "lz4"):
        write(codec, compression=codec)
    write("plain_v1", use_dictionary=False, compression="none")
    write("plain_v2", use_dictionary=False, data_page_version="2.0", compression="zstd")
    write("dictionary_v2", data_page_version="2.0", compression="gzip", write_page_checksum=True)
    write("groups", row_group_size=23, data_page_size=64, write_batch_size=7, compression="snappy", write_statistics=False)
    write("groups_v2", row_group_size=23, data_page_size=64, write_batch_size=7, data_page_version="2.0", write_statistics=False)
    write("int96", use_deprecated_int96_timestamps=True, flavor="spark", store_decimal_as_integer=True)
    write("old_lists", use_compliant_nested_type=False, version="1.0", coerce_timestamps="ms", allow_truncated_timestamps=True)
    delta = {n: "DELTA_BINARY_PACKED" for n in ("id", "count", "small", "unsigned", "born", "seen", "local", "nano", "hour")}
    delta |= {"name": "DELTA_BYTE_ARRAY", "note": "DELTA_LENGTH_BYTE_ARRAY", "price": "DELTA_BYTE_ARRAY"}
    delta |= {"ratio": "BYTE_STREAM_SPLIT", "single": "BYTE_STREAM_SPLIT", "big": "BYTE_STREAM_SPLIT", "ok": "RLE"}
    for version in ("1.0", "2.0"):
        write(f"delta_v{version[0]}", use_dictionary=False, column_encoding=delta, data_page_version=version)
    split = {n: "BYTE_STREAM_SPLIT" for n in ("id", "count", "born", "seen")}
    write("split", use_dictionary=False, column_encoding=split)


def write_others(t):
    con = duckdb.connect()
    con.register("t", t)
    con.sql("set timezone = 'UTC'")
    for version, codec in (("v1", "snappy"), ("v2", "zstd"), ("v2", "lz4_raw"), ("v2", "brotli")):
        con.sql(f"copy t to '{OUT}/kinds_duckdb_{version}_{codec}.parquet' (format parquet, parquet_version '{version}', compression '{codec}')")
    pl.from_arrow(t).write_parquet(OUT / "kinds_polars_zstd.parquet", compression="zstd")
    pl.from_arrow(t).write_parquet(OUT / "kinds_polars_groups.parquet", compression="lz4", row_group_size=23, data_page_size=200, statistics=False)


def write_odd():
    """Columns that are not one value a record, beside one that is."""
    t = pa.table({
        "id": pa.array(["a", "b"]),
        "address": pa.array([{"street": "x", "city": "y"}, None]),
        "attributes": pa.array([[("k", "v")], []], type=pa.map_(pa.string(), pa.string())),
        "orders": pa.array([[{"n": 1}], []]),
        "matrix": pa.array([[[1]], []]),
        "binary": pa.array([b"caf\xe9", b"a\x00b"]),
        "half": pa.array([0.5, -2.0], type=pa.float16()),
        "null": pa.array([None, None], type=pa.null()),
    })
    pq.write_table(t, OUT / "odd.parquet")
    empty = pa.table({"id": pa.array([], type=pa.string())})
    pq.write_table(empty, OUT / "empty.parquet")
    with pq.ParquetWriter(OUT / "empty_groups.parquet", empty.schema) as w:
        for ids in ([], ["a", "b"], [], ["c"], []):
            w.write_table(pa.table({"id": pa.array(ids, type=pa.string())}))


if __name__ == "__main__":
    write_expected()
    write_pyarrow(arrow_table())
    write_others(arrow_table())
    write_odd()
