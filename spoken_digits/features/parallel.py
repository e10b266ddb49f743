"""Where feature extraction runs: processes of this machine, or a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from spoken_digits.bounds import Bounds, Length
from spoken_digits.errors import UserError

T = TypeVar("T")

SCHEDULER_TIMEOUT = "10s"
"""How long a Dask scheduler may take to answer."""


@dataclass(frozen=True, kw_only=True)
class ParallelParams:
    """Section `features.parallel`: changes no byte of the features, is no reason to run again."""

    backend: Literal["loky", "dask"]
    """loky: processes on this machine; dask: a Dask cluster that can read the same files."""
    n_jobs: Annotated[int, Bounds(1, 1024, example=2)] | None
    """Number of workers; null: one per core, fewer for a small corpus."""
    dask_scheduler: Annotated[str, Length(1, 1000, example="tcp://host:8786")] | None
    """dask: address of the scheduler, such as tcp://host:8786; null: a cluster on this machine."""


def run(
    function: Callable[..., T],
    calls: Sequence[tuple[Any, ...]],
    params: ParallelParams,
    worthwhile: int,
) -> Iterator[T]:
    """``function(*call)`` of every call, as they come.

    Parameters
    ----------
    function
        Importable by its name.
    calls
        The arguments of each call.
    params
        Where to run.
    worthwhile
        Most processes that pay for themselves, where `n_jobs` is null.

    Raises
    ------
    UserError
        A worker was killed; the cluster cannot be reached or lacks its package.
    """
    import joblib  # models predict without
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    with ExitStack() as stack:
        if params.backend == "dask":
            client = _connect(params.dask_scheduler, stack)
            stack.enter_context(joblib.parallel_config("dask", client=client))
            n_jobs = params.n_jobs or max(1, sum(client.ncores().values()))
        else:
            stack.enter_context(joblib.parallel_config("loky"))
            n_jobs = params.n_jobs or min(joblib.cpu_count(), worthwhile)
        workers = joblib.Parallel(
            n_jobs=n_jobs, return_as="generator_unordered", pre_dispatch="2*n_jobs"
        )
        try:
            yield from workers(joblib.delayed(function)(*call) for call in calls)
        except TerminatedWorkerError:
            raise UserError(
                "a worker process was killed, perhaps for want of memory: run again to go on "
                "where it stopped, with `features.parallel.n_jobs: 1` if it happens again"
            ) from None


def _connect(scheduler: str | None, stack: ExitStack) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise UserError(
            "params.yaml: `features.parallel.backend` is dask, which is not installed: "
            'run `uv pip install "spoken-digits[cluster]"` or use loky'
        ) from None
    try:
        # Threads of a process would share Python's lock.
        local = {"threads_per_worker": 1, "dashboard_address": None}
        where = {"address": scheduler, "timeout": SCHEDULER_TIMEOUT} if scheduler else local
        client = Client(**where)
    except (OSError, ValueError) as error:
        raise UserError(
            f"params.yaml: no Dask scheduler answers at `features.parallel.dask_scheduler` "
            f"{scheduler} ({error}): start one with `dask scheduler`, or use backend loky"
        ) from None
    return stack.enter_context(client)
