"""What drills share: workers in processes of their own, a load of commands and hits, and the proof that nothing was lost or doubled.

A drill says who works and what happens to them meanwhile; see Tools/drill-upgrade and Tools/drill-brokers.
"""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time

# A server that is away, a fenced commit: a supervisor starts the worker again.
EXCUSABLE = {69, 74, 75}
# In which a worker must have stopped that was asked to.
PATIENCE = 60


def say(name, text):
    print(f"{name}: {text}", flush=True)


class Drill:
    """One log, programs that work on it by what they are called, and what was asked of them and found."""
    # What each line of the drill begins with.
    name = "drill"
    # Those of a worker's exit codes after which it is started again. Others are wrong.
    excused = EXCUSABLE

    def __init__(self, programs, environment):
        self.programs = programs
        self.folder = tempfile.mkdtemp(prefix=f"millrace-{self.name}-")
        self.broker = os.environ.get("MILLRACE_TEST_KAFKA")
        log = f"kafka://{self.broker}" if self.broker else f"local:{self.folder}/log"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE")}
        self.environment = {**inherited, "HOME": self.folder, "MILLRACE_LOG": log,
                            "MILLRACE_VIEWS": f"sqlite:{self.folder}/views", **environment}
        # What this drill names, on a broker that others have used.
        self.run = f"u{int(time.time() * 1000):x}"
        self.problems = []
        self.outcomes = {}
        self.sent = {}
        self.hits = {"acknowledged": 0, "sent": 0}
        self.calls = dict.fromkeys(programs, 0)
        # Calls that found no broker in time, and were made again with the same ids.
        self.repeated = 0
        self.clients = list(programs)[:1]
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.workers = []
        # Held by whoever says which worker a slot has.
        self.slots = threading.Lock()

    @property
    def newest(self):
        return list(self.programs)[-1]

    def say(self, text):
        say(self.name, text)

    def problem(self, text):
        with self.lock:
            self.problems.append(text)
        self.say(f"WRONG: {text}")

    def call(self, which, *arguments, stdin=""):
        return subprocess.run([self.programs[which], *arguments], input=stdin, env=self.environment, cwd=self.folder,
                              capture_output=True, text=True)

    # What is asked

    def more(self, which):
        """Fields that this program alone gives an order and a hit."""
        return {}

    def commands(self, number, which):
        """The commands of one round, each by its id; some are of an earlier round, which must change nothing."""
        run = self.run
        found = {}

        def add(name, command, **fields):
            found[f"{run}-{number}-{name}"] = {"@command": command, **fields}
        if number == 0:
            rows = [{"label": "A", "seats": 500}]
            price = {"amount": 4500, "currency": "EUR"}
            add("list", "tickets.ListEvent", event=run, title="Tosca", venue="Opera", startsAt="2030-01-01T19:30:00Z",
                sections=[{"name": "stalls", "rows": rows, "price": price}])
            return found
        for i in range(8):
            order = f"{run}-{number}-{i}"
            add(f"place{i}", "orders.PlaceOrder", order=order, customer=f"{run}-c{i}", **self.more(which))
            add(f"assign{i}", "orders.AssignCourier", order=order, courier=f"{run}-k{i % 3}")
            add(f"pick{i}", "orders.MarkPickedUp", order=order, courier=f"{run}-k{i % 3}")
            if i % 2:
                add(f"deliver{i}", "orders.MarkDelivered", order=order)
        handle = self.run[-8:]
        # Each has nine followers, so that promotions go on whoever decides on them.
        star = f"s{number // 3}{handle}"
        for i in range(3):
            add(f"follow{i}", "social.Follow", user=f"f{number}x{i}{handle}", followee=star)
        add("post", "social.PostTweet", user=star, text=f"number {number} #drill", tweet=f"{run}-t{number}")
        seat = f"A-{number % 500 + 1}"
        add("hold", "tickets.HoldSeats", event=run, section="stalls", holder=f"h{number}", hold=f"{run}-{number}",
            seats=[seat])
        add("buy", "tickets.ConfirmPurchase", event=run, section="stalls", holder=f"h{number}",
            hold=f"{run}-{number}", paymentToken="tok_visa")
        return found

    def send(self, commands, which):
        """Sends commands until each has an outcome, and holds it against the one that it had before."""
        lines = "".join(json.dumps({"@id": id, **command}) + "\n" for id, command in commands.items())
        # Brokers that stay away once all is over are no reason to ask for ever.
        until = None
        while True:
            if self.over.is_set():
                until = until or time.time() + 600
                if time.time() > until:
                    return self.problem(f"{len(commands)} commands were not answered within ten minutes after the load")
            done = self.call(which, "send", "--file", "-", "--timeout", "60s", stdin=lines)
            self.calls[which] += 1
            if done.returncode in (0, 1):
                break
            self.repeated += 1
            if done.returncode not in EXCUSABLE:
                return self.problem(f"{which} send ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        if [answer["id"] for answer in answers] != list(commands):
            return self.problem(f"{which} send answered {len(answers)} of {len(commands)} commands, or not in their order")
        for answer in answers:
            before = self.outcomes.setdefault(answer["id"], answer)
            if before != answer:
                self.problem(f"{answer['id']} has two outcomes: {before} and {answer}")

    def keep_sending(self, lane=0, lanes=1):
        """Sends one round after another, of every so many those of one lane."""
        number = lane
        while not self.over.is_set():
            which = self.clients[number % len(self.clients)]
            commands = self.commands(number, which)
            self.sent.update(commands)
            earlier = list(self.sent)[:: max(1, len(self.sent) // 5)][:5]
            self.send({**{id: self.sent[id] for id in earlier}, **commands}, which)
            number += lanes

    def keep_producing(self):
        number = 0
        while not self.over.is_set():
            which = self.clients[number % len(self.clients)]
            hits = [{"site": self.run, "path": f"/{number}/{i}", "visitor": f"v{i}", **self.more(which)} for i in range(200)]
            done = self.call(which, "produce", "Hit", stdin="".join(json.dumps(hit) + "\n" for hit in hits))
            self.hits["sent"] += len(hits)
            if done.returncode == 0:
                self.hits["acknowledged"] += json.loads(done.stdout)["produced"]
            elif done.returncode not in EXCUSABLE:
                self.problem(f"{which} produce ended with {done.returncode}: {done.stderr.strip()[-300:]}")
            number += 1

    # Who works

    def start(self, kind, which):
        errors = open(f"{self.folder}/{kind}-{which}-{time.time_ns()}.err", "w+b")
        process = subprocess.Popen([self.programs[which], "work", kind], env=self.environment, cwd=self.folder,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
        return {"kind": kind, "which": which, "process": process, "errors": errors.name}

    def said(self, worker):
        return pathlib.Path(worker["errors"]).read_text(errors="replace")

    def wait_until_working(self, worker):
        deadline = time.time() + PATIENCE
        while "ready after" not in self.said(worker):
            if worker["process"].poll() is not None or time.time() > deadline:
                return self.problem(f"{worker['which']} {worker['kind']} does not work: {self.said(worker)[-500:]}")
            # One whose partitions others have is not ready, and not needed.
            if "working:" in self.said(worker) and time.time() > deadline - PATIENCE + 10:
                return None
            time.sleep(0.05)
        return None

    def watch(self):
        """Starts workers again that ended by themselves, as systemd would."""
        while not self.over.is_set():
            for slot, worker in enumerate(self.workers):
                code = worker["process"].poll()
                if code is None or worker.get("stopping"):
                    continue
                said = self.said(worker).strip().splitlines()[-1:]
                if code not in self.excused:
                    self.problem(f"{worker['which']} {worker['kind']} ended with {code}: {said}")
                else:
                    self.say(f"{worker['which']} {worker['kind']} ended with {code} and is started again: {said}")
                with self.slots:
                    # It may be replaced, or about to be, since it was looked at.
                    if self.workers[slot] is worker and not worker.get("stopping"):
                        self.workers[slot] = self.start(worker["kind"], worker["which"])
            self.over.wait(0.2)

    def replace(self, slot, which):
        """Stops the worker of a slot, whichever it is by now, and has another program do its work."""
        with self.slots:
            worker = self.workers[slot]
            worker["stopping"] = True
        self.stop(worker)
        self.workers[slot] = self.start(worker["kind"], which)
        self.wait_until_working(self.workers[slot])

    def stop(self, worker):
        worker["stopping"] = True
        worker["process"].send_signal(signal.SIGTERM)
        try:
            code = worker["process"].wait(PATIENCE)
        except subprocess.TimeoutExpired:
            worker["process"].kill()
            return self.problem(f"{worker['which']} {worker['kind']} did not stop within {PATIENCE} s")
        if code not in EXCUSABLE | {0}:
            self.problem(f"{worker['which']} {worker['kind']} stopped with {code}: {self.said(worker)[-500:]}")
        return None

    # What came of it

    def applied(self, which):
        done = self.call(which, "topics", "apply")
        if done.returncode != 0:
            self.problem(f"{which} topics apply ended with {done.returncode}: {done.stderr.strip()[-300:]}")

    def prove(self):
        self.say("working off what is left")
        done = self.call(self.newest, "lag", "--sum", "--wait", "180s", "--table")
        if done.returncode != 0:
            self.problem(f"not all was worked off:\n{done.stdout}{done.stderr}")
        missing = [id for id in self.sent if id not in self.outcomes]
        if missing:
            self.problem(f"{len(missing)} commands have no outcome, the first is {missing[0]}")
        # Asked once more, all have the outcomes that they had, and nothing is added.
        before = self.counts()
        ids = list(self.sent)
        for first in range(0, len(ids), 2000):
            self.send({id: self.sent[id] for id in ids[first:first + 2000]}, self.newest)
        self.prove_events(before)
        for worker in self.workers:
            if worker["process"].poll() is not None:
                self.problem(f"{worker['kind']} ended by itself with {worker['process'].returncode}")
            self.stop(worker)
        for checks in (["verify", "--table"], ["verify", "--invariants", "--at-rest", "--table"],
                       ["verify", "--decisions", "--table"]):
            done = self.call(self.newest, *checks)
            if done.returncode != 0:
                self.problem(f"{' '.join(checks)} ended with {done.returncode}: {done.stderr.strip()[-1000:]}")
            else:
                self.say(f"{' '.join(checks[:-1])}: ok")

    def replayed(self, which, topic):
        done = self.call(which, "replay", topic, "--format", "%p@%o %k\\n")
        if done.returncode != 0:
            self.problem(f"replay {topic} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        return done

    def places(self, topic, contains):
        lines = self.replayed(self.newest, topic).stdout.splitlines()
        return [line.split(" ", 1)[0] for line in lines if contains in line.split(" ", 1)[1]]

    def counts(self):
        return {topic: len(self.places(topic, self.run[-8:])) for topic in ("orders.events", "tickets.events", "social.events")}

    def prove_events(self, before):
        after = self.counts()
        if before != after:
            self.problem(f"events were added by commands that had their outcomes: {before} became {after}")
        for topic in ("orders.events",):
            told = [f"{e['partition']}@{e['offset']}" for o in self.outcomes.values() for e in o["events"] if e["topic"] == topic]
            there = self.places(topic, self.run)
            if len(set(told)) != len(told):
                self.problem(f"{len(told) - len(set(told))} events of {topic} are told of by two outcomes")
            if set(told) - set(there):
                self.problem(f"{len(set(told) - set(there))} events of {topic} are told of and not there")
            if set(there) - set(told):
                self.problem(f"{len(set(there) - set(told))} events of {topic} are there and no outcome tells of them")
        hits = len(self.places("hits.events", self.run))
        if not self.hits["acknowledged"] <= hits <= self.hits["sent"]:
            self.problem(f"{hits} hits are there, but {self.hits['acknowledged']} were acknowledged of {self.hits['sent']}")
        accepted = sum(o["outcome"] == "accepted" for o in self.outcomes.values())
        self.say(f"{len(self.outcomes)} commands answered, {accepted} accepted; {sum(after.values())} events; {hits} hits")
