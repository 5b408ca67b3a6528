"""The real program as a process, for tests: run to its end or as a server, and a small shop for it.

A test that imports this takes the path of `bouquet` as its first argument.
"""
import os
import random
import signal
import subprocess
import sys
import threading

PROGRAM = sys.argv.pop(1)


def bouquet(*arguments, expect=0, environment=None):
    """Runs the program to its end, with more in its environment if given. Returns stdout; stderr too if another exit code than 0 is expected."""
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=120, env={**os.environ, **(environment or {})})
    assert done.returncode == expect, f"{arguments}: exit {done.returncode}, not {expect}\n{done.stdout}\n{done.stderr}"
    return done.stdout if expect == 0 else done.stdout + done.stderr


def item_by_taste(customer, choose):
    """One of the forty items, of the half that is to the customer's taste."""
    return choose.randrange(20) + (20 if customer % 2 else 0)


def write_events(path):
    """Sixty customers with two tastes, forty items, baskets of three."""
    choose = random.Random(7)
    with open(path, "w") as file:
        file.write("customer_id,item_id,time,basket_id,value\n")
        for customer in range(60):
            for basket in range(4):
                for _ in range(3):
                    file.write(f"c{customer},i{item_by_taste(customer, choose)},{1700000000 + 86400 * basket + customer},b{customer}-{basket},{choose.randrange(1, 4)}\n")


def write_items(path):
    """Items i0 .. i39: i7 has no price, odd ones are of brand Odd & Sons, every tenth is red or blue."""
    with open(path, "w") as file:
        file.write("item_id,title,price,brand,tags,available_until\n")
        for item in range(40):
            price = "" if item == 7 else f"{item}.5"
            brand = "Odd & Sons" if item % 2 else "Even"
            file.write(f"i{item},Item {item},{price},{brand},{'red|blue' if item % 10 == 0 else ''},2999-01-01\n")


class Server:
    """A running `bouquet serve`; its log is read as it comes."""

    def __init__(self, models, folder, *flags):
        self.process = subprocess.Popen(
            [PROGRAM, "serve", *flags, "--models", models, "--listen", f"unix:{folder}/rpc", "--admin", "127.0.0.1:0",
             "--admin-grpc", f"unix:{folder}/admin", "--lame-duck-ms", "300", "--poll-ms", "20"],
            stderr=subprocess.PIPE, text=True)
        self.log = []
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        line = self.wait_for("event=serving")
        self.fields = dict(part.split("=", 1) for part in line.split() if "=" in part)
        self.address = self.fields["address"]
        self.admin = "http://" + self.fields["admin"]

    def _read(self):
        for line in self.process.stderr:
            with self.changed:
                self.log.append(line)
                self.changed.notify_all()

    def wait_for(self, text, seconds=30):
        found = lambda: next((line for line in self.log if text in line), None)
        with self.changed:
            assert self.changed.wait_for(found, seconds), f"no {text!r} in the log:\n" + "".join(self.log)
            return found()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self.reader.join(30)
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reader.join(30)
        self.process.stderr.close()
