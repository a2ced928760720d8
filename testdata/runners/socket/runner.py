"""A test runner that speaks docs/runner-protocol.md: its tests are the lines of cases.txt, "name: what it does"."""
import json
import os
import signal
import socket
import sys
import time

connection = socket.socket(socket.AF_UNIX)
connection.connect(os.environ.pop("SHARD_SOCKET"))
answers = connection.makefile()


def send(type, **fields):
    connection.sendall(json.dumps({"type": type, **fields}).encode() + b"\n")


with open("cases.txt", encoding="utf-8") as file:
    cases = dict(line.rstrip("\n").split(": ") for line in file)


def run(id):
    if id not in cases:
        return  # the worker sees that it has no finish
    send("start", id=id)
    what = cases[id]
    if what == "exits":
        os._exit(0)
    if what == "is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "hangs":
        time.sleep(600)
    if what == "fails":
        print("printed by", id, flush=True)
        send("finish", id=id, status="failed", message="it fails", details="a longer story", file="cases.txt",
             line=1 + list(cases).index(id))
    elif what == "has cases":
        parts = [{"name": "first", "status": "passed"}, {"name": "second", "status": "failed", "message": "half of it"}]
        send("finish", id=id, status="failed", cases=parts)
    else:
        send("finish", id=id, status="skipped" if what == "skips" else "passed", message=what)


mode = os.environ["SHARD_MODE"]
if mode == "list":
    for id in cases:
        send("test", id=id)
elif mode == "run":
    with open(sys.argv[1], encoding="utf-8") as file:
        for id in file.read().splitlines():
            run(id)
else:
    while True:
        send("want")
        answer = json.loads(answers.readline())
        if answer["type"] == "stop":
            break
        for id in answer["ids"]:
            run(id)
send("end")
