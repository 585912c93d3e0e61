"""The one place that speaks to pyarrow, which has no types: Parquet in, Parquet out, in bounded memory."""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self, cast

from wheretaken.errors import DataError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

_READ_AHEAD = 1 << 20
"""Bytes of a column that are held while it is read; else it would be read whole, a gigabyte of pictures."""
_BATCH = 16
"""Rows read at once; a picture is some hundred kilobytes."""
GROUP_BYTES = 16_000_000
"""A row group is written when its pictures reach this size: readers need as much memory at once."""
GROUP_ROWS = 1000


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa  # noqa: PLC0415 - belongs to an extra, and is slow to load
        import pyarrow.parquet as pq  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        raise MissingExtraError("reading and writing Parquet", "evals", "pyarrow") from error
    return cast("Any", pa), cast("Any", pq)


def column_names(path: Path) -> list[str]:
    """Return the names of a Parquet file's columns; those within a column of objects have dotted names.

    Raises:
        DataError: it is no Parquet file.
        MissingExtraError: pyarrow is not installed.
    """
    pa, _ = _pyarrow()

    def within(prefix: str, field: Any) -> list[str]:
        if not pa.types.is_struct(field.type) or field.type.get_field_index("bytes") >= 0:
            return [prefix + field.name]
        inner = [field.type.field(i) for i in range(field.type.num_fields)]
        return [name for part in inner for name in within(f"{prefix}{field.name}.", part)]

    with _opened(path) as file:
        return [name for field in file.schema_arrow for name in within("", field)]


def rows(path: Path, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a Parquet file as Python values, a few at a time.

    Args:
        path: the file.
        columns: those to read, by the name of the whole column; all when None.

    Raises:
        DataError: it is no Parquet file, or damaged.
        MissingExtraError: pyarrow is not installed.
    """
    pa, _ = _pyarrow()
    with _opened(path) as file:
        try:
            for batch in file.iter_batches(batch_size=_BATCH, columns=columns, use_threads=False):
                yield from cast("list[dict[str, Any]]", batch.to_pylist())
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{path} is damaged: copy it again from its source ({_short(error)})") from None


def _opened(path: Path) -> Any:
    pa, pq = _pyarrow()
    try:
        return pq.ParquetFile(path, buffer_size=_READ_AHEAD, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path} is no Parquet file that can be read: copy it again from its source ({_short(error)})"
        ) from None


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


class Writer:
    """Writes rows to a Parquet file, a row group at a time, while the caller goes on.

    In memory are at most the group that grows and the one that is being written, each within `GROUP_ROWS` and
    `GROUP_BYTES` (and one picture more).
    """

    def __init__(self, path: Path, fields: Mapping[str, Any], *, features: Mapping[str, Any] | None) -> None:
        """Create the file.

        Args:
            path: where.
            fields: column -> type: `"string"`, `"double"`, `"int64"`, `"bool"`, `"binary"`; a mapping for an
                object, a list of one type for a list.
            features: what `datasets` takes the columns for, as its `Features` write it.
        """
        pa, pq = _pyarrow()
        schema = pa.schema([(name, _type(pa, kind)) for name, kind in fields.items()])
        if features is not None:
            schema = schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})
        self._pa, self._schema = pa, schema
        binary = [leaf for name, kind in fields.items() for leaf in _binary(name, kind)]
        others = [leaf for name, kind in fields.items() for leaf in _leaves(name, kind) if leaf not in binary]
        # A JPEG can be compressed no further, and texts that repeat take no space in a dictionary.
        compression = dict.fromkeys(binary, "NONE") | dict.fromkeys(others, "ZSTD")
        self._file = pq.ParquetWriter(
            path, schema, compression=compression, use_dictionary=others, write_statistics=others
        )
        self._waiting: list[Mapping[str, Any]] = []
        self._size = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="parquet")
        self._writing: Future[None] | None = None

    def write(self, row: Mapping[str, Any], size: int) -> None:
        """Add a row whose pictures take `size` bytes."""
        self._waiting.append(row)
        self._size += size
        if self._size >= GROUP_BYTES or len(self._waiting) >= GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        """Hand the group over; the one before is complete by then."""
        if self._writing:
            self._writing.result()
        self._writing = self._pool.submit(self._save, self._waiting)
        self._waiting, self._size = [], 0

    def _save(self, rows: list[Mapping[str, Any]]) -> None:
        if rows:
            table = self._pa.Table.from_pylist(rows, schema=self._schema)
            self._file.write_table(table, row_group_size=len(rows))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
                self._flush()  # waits for the one before
        finally:
            self._pool.shutdown()
            self._file.close()


def _type(pa: Any, kind: Any) -> Any:
    if isinstance(kind, str):
        kinds = {"string": pa.string, "double": pa.float64, "int64": pa.int64, "bool": pa.bool_}
        return (kinds | {"binary": pa.binary})[kind]()
    if isinstance(kind, list):
        return pa.list_(_type(pa, cast("list[Any]", kind)[0]))
    return pa.struct([(name, _type(pa, inner)) for name, inner in cast("dict[str, Any]", kind).items()])


def _leaves(name: str, kind: Any) -> list[str]:
    """Return the paths of the columns that Parquet stores."""
    if isinstance(kind, str):
        return [name]
    if isinstance(kind, list):
        return _leaves(f"{name}.list.element", cast("list[Any]", kind)[0])
    return [
        leaf
        for key, inner in cast("dict[str, Any]", kind).items()
        for leaf in _leaves(f"{name}.{key}", inner)
    ]


def _binary(name: str, kind: Any) -> list[str]:
    return [leaf for leaf in _leaves(name, kind) if leaf.endswith("bytes")]
