"""The real program over real sockets: train a small shop, serve it, ask it, break it, stop it.

Usage: serving_test.py PATH_OF_BOUQUET [unittest arguments]. Needs nothing but Python's own library.
"""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

from program import PROGRAM, Server, bouquet, write_events, write_items


def without_names(answers):
    """The same answers as a process without a store gives them: recommendation_id is empty there."""
    for answer in answers.get("answers", [answers]):
        assert answer["recommendation_id"], answer
        answer["recommendation_id"] = ""
    return answers


class Serving(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="bouquet-e2e-")
        cls.models = f"{cls.folder}/models"
        write_events(f"{cls.folder}/events.csv")
        write_items(f"{cls.folder}/items.csv")
        bouquet("train", "--events", f"{cls.folder}/events.csv", "--items", f"{cls.folder}/items.csv", "--attributes", "off",
                "--models", cls.models, "--dimension", "8", "--epochs", "2", "--validation", "none")
        cls.version = (pathlib.Path(cls.models) / "CURRENT").read_text().strip()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.place = tempfile.mkdtemp(prefix="bouquet-")
        self.addCleanup(shutil.rmtree, self.place)

    def test_filters_ask_for_columns_of_the_item_file(self):
        ids = lambda answer: {int(row["item_id"][1:]) for row in answer.get("results", [])}
        with Server(self.models, self.place) as server:
            for place in (["--models", self.models], ["--server", server.address]):
                ask = lambda text: json.loads(bouquet("recommend", "--customer", "nobody", "-k", "40", "--filter", text, "--json", *place))["answers"][0]
                answer = ask('price < 20 AND brand = "Odd & Sons"')
                self.assertEqual(ids(answer), {1, 3, 5, 9, 11, 13, 15, 17, 19})
                self.assertIn("SHORTFALL_FILTERED", answer["shortfall"])
                self.assertEqual(ids(ask('tags: ANY("blue")')), {0, 10, 20, 30})
                self.assertEqual(ids(ask('available_until < "2999"')), set())
                wrong = bouquet("recommend", "--customer", "nobody", "--filter", "price < 3 AND brnd = 'x'", *place, expect=2)
                self.assertIn("column 15: the items have no attribute 'brnd'; the nearest is 'brand'", wrong)
                wrong = bouquet("recommend", "--customer", "nobody", "--filter", "price < red", *place, expect=2)
                self.assertIn("column 9: expected a number", wrong)

    def test_the_answer_is_the_same_offline_and_online(self):
        with Server(self.models, self.place) as server:
            for arguments in (["recommend", "--customer", "c0", "c1", "nobody"],
                              ["recommend", "--customer", "c2", "-k", "25", "--include-purchased", "--exclude", "i1", "i2"],
                              ["recommend", "--customer", "c3", "--context", "i5", "--kind", "product"],
                              ["similar", "--item", "i3", "-k", "5"],
                              ["similar", "--item", "i3", "-k", "5", "--explain"],
                              ["cross-sell", "--item", "i3", "i4"],
                              ["cross-sell", "--item", "i3", "i4", "--explain"]):
                offline = bouquet(*arguments, "--models", self.models, "--json")
                online = bouquet(*arguments, "--server", server.address, "--json")
                self.assertEqual(json.loads(offline), without_names(json.loads(online)))
                self.assertEqual(bouquet(*arguments, "--models", self.models), bouquet(*arguments, "--server", server.address))
            self.assertNotIn("     with ", bouquet("cross-sell", "--item", "i3", "i4", "--models", self.models))
            self.assertRegex(bouquet("cross-sell", "--item", "i3", "i4", "--explain", "--models", self.models), r"\n     with .* baskets\n")
            answers = json.loads(bouquet("recommend", "--customer", "c0", "nobody", "--server", server.address, "--json"))["answers"]
            self.assertEqual([row["source"] for row in answers[0]["results"]], ["SOURCE_MODEL"] * 10)
            self.assertEqual(answers[0]["model_version"], self.version)
            self.assertEqual(answers[1]["shortfall"], ["SHORTFALL_COLD_CUSTOMER"])
            self.assertEqual(server.stop(), 0)

    def test_groups_gifts_and_earlier_moments(self):
        first = lambda *arguments: json.loads(bouquet("recommend", *arguments, "--json"))["answers"][0]
        ids = lambda answer: [row["item_id"] for row in answer["results"]]
        store = f"{self.place}/store"
        here = ["--models", self.models, "--store", store]
        with Server(self.models, self.place, "--store", store) as server:
            there = ["--server", server.address]
            self.assertEqual(ids(first("--group", "c0", "c1", *there)), ids(first("--group", "c0", "c1", "--models", self.models)))
            self.assertNotEqual(ids(first("--group", "c0", "c1", *there)), ids(first("--group", "c0", "c1", "--rule", "least-misery", *there)))
            self.assertEqual(first("--group", "c0", "new", *there)["unknown_customer_ids"], ["new"])
            self.assertEqual(ids(first("--customer", "new", "--gift-for", "c0", *there)), ids(first("--customer", "c0", *there)))
            before = first("--customer", "c0", *there)
            bouquet("record", "--customer", "c0", "--item", before["results"][0]["item_id"], *there)
            after = first("--customer", "c0", *there)
            self.assertNotIn(before["results"][0]["item_id"], ids(after))
            for place in (there, here):
                self.assertEqual(ids(first("--customer", "c0", *place)), ids(after))
                self.assertEqual(ids(first("--customer", "c0", "--as-of-answer", before["recommendation_id"], *place)), ids(before))
                self.assertEqual(ids(first("--customer", "c0", "--as-of-version", "1", *place)), ids(after))
                self.assertEqual(ids(first("--customer", "c0", "--as-of", "2024-01-01", *place)), ids(before))
                self.assertIn("event files", bouquet("recommend", "--customer", "c0", "--as-of-events", "3", *place, expect=3))
            self.assertIn("customer_id", bouquet("recommend", "--customer", "c1", "--as-of-answer", before["recommendation_id"], *here, expect=2))
        for wrong in (["--as-of", "yesterday"], ["--as-of-version", "1", "--as-of-events", "1"], ["--as-of-answer", "x"]):
            self.assertIn("--as-of", bouquet("recommend", "--customer", "c0", "--models", self.models, *wrong, expect=2))
        self.assertIn("--rule", bouquet("recommend", "--group", "c0", "--rule", "vote", *here, expect=2))

    def test_all_customers_go_into_a_file(self):
        out = f"{self.place}/offers.jsonl"
        bouquet("recommend", "--models", self.models, "--all", "--out", out, "-k", "3")
        lines = [json.loads(line) for line in pathlib.Path(out).read_text().splitlines()]
        self.assertEqual({line["customer_id"] for line in lines}, {f"c{c}" for c in range(60)})
        alone = json.loads(bouquet("recommend", "--models", self.models, "--customer", "c7", "-k", "3", "--json"))["answers"][0]
        self.assertEqual(next(line for line in lines if line["customer_id"] == "c7"), alone)
        self.assertEqual(os.listdir(self.place), ["offers.jsonl"])

    def test_what_goes_wrong_has_its_own_exit_code_and_message(self):
        self.assertIn(f"{self.place}/none", bouquet("serve", "--models", f"{self.place}/none", expect=3))
        self.assertFalse(os.path.exists(f"{self.place}/none"))
        self.assertIn("nearest id is 'i3", bouquet("similar", "--models", self.models, "--item", "i3x", expect=3))
        self.assertIn("--models", bouquet("recommend", "--customer", "c0", expect=2))
        self.assertIn("-k", bouquet("recommend", "--customer", "c0", "--models", self.models, "-k", "0", expect=2))
        self.assertIn("k:", bouquet("recommend", "--customer", "c0", "--models", self.models, "-k", "1001", expect=2))
        self.assertIn("--kind", bouquet("recommend", "--customer", "c0", "--models", self.models, "--kind", "toy", expect=2))
        self.assertIn("no server", bouquet("recommend", "--customer", "c0", "--server", f"unix:{self.place}/no", "--timeout-ms", "200", expect=4))
        self.assertIn("--allow-remote", bouquet("serve", "--models", self.models, "--listen", "0.0.0.0:0", expect=2))

    def test_a_taken_port_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            for flag, others in (("--listen", ["--admin", "", "--admin-grpc", ""]),
                                 ("--admin", ["--listen", "127.0.0.1:0", "--admin-grpc", ""])):
                self.assertIn(address, bouquet("serve", "--models", self.models, flag, address, *others, expect=4))

    def test_a_damaged_new_version_is_refused_and_the_old_one_serves_on(self):
        models = f"{self.place}/models"
        shutil.copytree(self.models, models)
        with Server(models, self.place) as server:
            bad = "99991231T000000Z-00000bad"
            shutil.copytree(f"{models}/{self.version}", f"{models}/{bad}")
            for path in pathlib.Path(models, bad).iterdir():
                if path.name != "manifest.json" and path.stat().st_size > 0:
                    os.chmod(path, 0o644)
                    content = bytearray(path.read_bytes())
                    content[len(content) // 2] ^= 1
                    path.write_bytes(content)
            pathlib.Path(models, "CURRENT.new").write_text(bad + "\n")
            os.rename(f"{models}/CURRENT.new", f"{models}/CURRENT")
            self.assertIn(bad, server.wait_for("event=model.refused"))
            answer = json.loads(bouquet("recommend", "--customer", "c0", "--server", server.address, "--json"))["answers"][0]
            self.assertEqual(answer["model_version"], self.version)
            time.sleep(0.2)  # ten looks at CURRENT later it has still been said once
            self.assertEqual(sum("model.refused" in line for line in server.log), 1)
            self.assertIn("bouquet_model_refusals_total 1", urllib.request.urlopen(server.admin + "/metrics").read().decode())
            self.assertEqual(server.stop(), 0)

    def test_a_new_version_is_served_without_a_restart(self):
        models = f"{self.place}/models"
        shutil.copytree(self.models, models)
        with Server(models, self.place) as server:
            bouquet("train", "--events", f"{self.folder}/events.csv", "--models", models, "--dimension", "4", "--epochs", "1", "--validation", "none")
            newest = pathlib.Path(models, "CURRENT").read_text().strip()
            server.wait_for(f"version={newest}")
            for _ in range(100):
                answer = json.loads(bouquet("recommend", "--customer", "c0", "--server", server.address, "--json"))["answers"][0]
                if answer["model_version"] == newest:
                    break
            self.assertEqual(answer["model_version"], newest)

    def test_admin_pages(self):
        with Server(self.models, self.place) as server:
            self.assertEqual(urllib.request.urlopen(server.admin + "/healthz").status, 200)
            self.assertEqual(urllib.request.urlopen(server.admin + "/readyz").read(), b"ready\n")
            with self.assertRaises(urllib.error.HTTPError):
                urllib.request.urlopen(server.admin + "/nothing")
            self.assertIn(self.version, urllib.request.urlopen(server.admin + "/metrics").read().decode())

    def test_sigterm_under_load_ends_cleanly_and_loses_no_call_that_began(self):
        with Server(self.models, self.place) as server:
            outcomes, begun = [], threading.Event()

            def ask():
                while True:
                    done = subprocess.run([PROGRAM, "recommend", "--customer", "c0", "--server", server.address, "--timeout-ms", "5000"],
                                          capture_output=True, text=True)
                    outcomes.append((done.returncode, done.stderr))
                    begun.set()
                    if done.returncode != 0:
                        return

            clients = [threading.Thread(target=ask) for _ in range(2)]
            for client in clients:
                client.start()
            begun.wait(30)
            self.assertEqual(server.stop(), 0)
            for client in clients:
                client.join()
            server.wait_for("event=stopped")
            # The last call of each client found nobody; all before were answered.
            self.assertEqual({code for code, _ in outcomes}, {0, 4}, outcomes)
            self.assertEqual(sum(code == 4 for code, _ in outcomes), 2)

    def test_logs_hold_no_customer(self):
        with Server(self.models, self.place) as server:
            bouquet("recommend", "--customer", "secret-customer", "--server", server.address)
            bouquet("recommend", "--customer", "secret-customer", "--server", server.address, "-k", "1001", expect=2)
            server.stop()
            self.assertNotIn("secret-customer", "".join(server.log))


if __name__ == "__main__":
    unittest.main(verbosity=2)
