"""BullMQ for Python that is told what to do: one JSON line in is a command, one JSON line out is its answer
or something that happened meanwhile. The Redis to use is in REDIS_PORT.

What a job does when it runs is said by its data, as in the Node driver (node/handler.js)."""

import asyncio
import json
import os
import sys

from bullmq import FlowProducer, Job, Queue, Worker
from bullmq.custom_errors import UnrecoverableError

CONNECTION = {"host": "127.0.0.1", "port": int(os.environ["REDIS_PORT"])}

queues: dict[str, Queue] = {}
workers: dict[str, Worker] = {}


def tell(line: dict) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def queue_of(name: str) -> Queue:
    if name not in queues:
        queues[name] = Queue(name, {"connection": CONNECTION})
    return queues[name]


def handler(worker: str, queue: str):
    async def handle(job: Job, _token: str):
        data = job.data or {}
        attempt = job.attemptsMade + 1
        tell({"happening": "ran", "worker": worker, "queue": queue, "job": job.id, "name": job.name, "attempt": attempt})
        if "progress" in data:
            await job.updateProgress(data["progress"])
        fail = data.get("fail")
        if fail and attempt <= fail["times"]:
            error = UnrecoverableError if fail.get("unrecoverable") else Exception
            raise error(fail["message"])
        if data.get("children"):
            values = (await job.getChildrenValues()).values()
            return sorted(values, key=json.dumps)
        return data.get("answer")

    return handle


async def add(queue: str, name: str, data, options: dict | None = None) -> str:
    return (await queue_of(queue).add(name, data, options or {})).id


async def add_bulk(queue: str, jobs: list[dict]) -> list[str]:
    bulk = [{"name": job["name"], "data": job["data"], "opts": job.get("options") or {}} for job in jobs]
    return [job.id for job in await queue_of(queue).addBulk(bulk)]


async def flow(tree: dict) -> dict:
    flows = FlowProducer(CONNECTION)
    added = await flows.add(tree)
    await flows.close()
    return ids(added)


def ids(node: dict) -> dict:
    return {"id": node["job"].id, "children": [ids(child) for child in node.get("children", [])]}


async def work(worker: str, queue: str, concurrency: int = 1) -> None:
    options = {"connection": CONNECTION, "concurrency": concurrency}
    workers[worker] = Worker(queue, handler(worker, queue), options)


async def stop_work(worker: str) -> None:
    await workers.pop(worker).close()


async def job_of(queue: str, job: str) -> dict | None:
    # The state first: what is read later is then at least as new.
    state = await queue_of(queue).getJobState(job)
    found = await Job.fromId(queue_of(queue), job)
    if found is None:
        return None
    return {
        "name": found.name,
        "data": found.data,
        "opts": found.opts,
        "progress": found.progress,
        "returnvalue": found.returnvalue,
        "failedReason": found.failedReason,
        "attemptsMade": found.attemptsMade,
        "state": state,
    }


async def upsert_scheduler(queue: str, scheduler: str, repeat: dict, template: dict) -> str | None:
    job = await queue_of(queue).upsertJobScheduler(
        scheduler, repeat, template["name"], template.get("data"), template.get("opts")
    )
    return job and job.id


async def schedulers(queue: str) -> list:
    return await queue_of(queue).getJobSchedulers(0, -1, True)


async def remove_scheduler(queue: str, scheduler: str) -> bool:
    # The script's answer: 0 is removed, 1 is that there was none.
    return await queue_of(queue).removeJobScheduler(scheduler) == 0


async def pause(queue: str) -> None:
    await queue_of(queue).pause()


async def resume(queue: str) -> None:
    await queue_of(queue).resume()


async def is_paused(queue: str) -> bool:
    return await queue_of(queue).isPaused()


async def counts(queue: str) -> dict:
    return await queue_of(queue).getJobCounts()


COMMANDS = {
    "add": add,
    "addBulk": add_bulk,
    "flow": flow,
    "work": work,
    "stopWork": stop_work,
    "job": job_of,
    "counts": counts,
    "upsertScheduler": upsert_scheduler,
    "schedulers": schedulers,
    "removeScheduler": remove_scheduler,
    "pause": pause,
    "resume": resume,
    "isPaused": is_paused,
}


async def answer(line: str) -> None:
    words = json.loads(line)
    number, command = words.pop("id"), words.pop("command")
    try:
        tell({"id": number, "answer": await COMMANDS[command](**words)})
    except Exception as error:  # whatever it is, the test that asked is told
        tell({"id": number, "error": f"{type(error).__name__}: {error}"})


async def main() -> None:
    reader = asyncio.StreamReader(limit=16 * 1024 * 1024)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tell({"happening": "ready"})
    tasks: set[asyncio.Task] = set()
    while line := await reader.readline():
        task = asyncio.create_task(answer(line.decode()))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


asyncio.run(main())
