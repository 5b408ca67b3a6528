"""The real program with --backend cuda, its module on the emulation: the commands answer as with --backend cpu, and what is wrong is said.

Usage: cuda_program_test.py PATH_OF_BOUQUET MODULE MODULE_OF_ANOTHER_BUILD NO_MODULE [unittest arguments].
"""
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import unittest

from program import Server, bouquet, item_by_taste, write_events, write_items

MODULE, MODULE_OF_ANOTHER_BUILD, NO_MODULE = sys.argv.pop(1), sys.argv.pop(1), sys.argv.pop(1)
os.environ["BOUQUET_CUDA_MODULE"] = MODULE


def write_test_events(path):
    """What the customers of write_events take later, some of it new to them."""
    choose = random.Random(8)
    with open(path, "w") as file:
        file.write("customer_id,item_id,time\n")
        for customer in range(60):
            for _ in range(6):
                file.write(f"c{customer},i{item_by_taste(customer, choose)},1700500000\n")


def scores_to_all(models, backend, folder):
    """By customer and item, of every item that the customer may be offered."""
    out = pathlib.Path(folder, f"offers-{backend}.jsonl")
    bouquet("recommend", "--models", models, "--backend", backend, "--all", "--out", str(out), "-k", "40")
    answers = [json.loads(line) for line in out.read_text().splitlines()]
    return {answer["customer_id"]: {row["item_id"]: row["score"] for row in answer["results"]} for answer in answers}


class CudaProgram(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="bouquet-cuda-")
        write_events(f"{cls.folder}/events.csv")
        write_test_events(f"{cls.folder}/test.csv")
        write_items(f"{cls.folder}/items.csv")
        for backend in ("cpu", "cuda"):
            cls.train(f"{cls.folder}/{backend}", "--backend", backend)
        cls.models = f"{cls.folder}/cuda"

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def train(cls, models, *flags, attributes="off", validation="none", **how):
        return bouquet("train", "--events", f"{cls.folder}/events.csv", "--items", f"{cls.folder}/items.csv", "--attributes", attributes, "--models", models,
                       "--dimension", "12", "--epochs", "2", "--validation", validation, *flags, **how)

    def commands(self):
        """A command line of each command that computes, by its name."""
        return {"train": ["train", "--events", f"{self.folder}/events.csv", "--models", f"{self.folder}/refused"],
                "evaluate": ["evaluate", "--models", self.models, "--test", f"{self.folder}/test.csv"],
                "recommend": ["recommend", "--models", self.models, "--customer", "c0"],
                "serve": ["serve", "--models", self.models, "--listen", f"unix:{self.folder}/rpc", "--admin", "", "--admin-grpc", ""]}

    def assert_refused(self, code, *messages, backend="cuda", flags=(), environment=None, commands=("train", "evaluate", "recommend", "serve")):
        """By each of the commands, and nothing is published."""
        for name in commands:
            with self.subTest(command=name, messages=messages):
                said = bouquet(*self.commands()[name], "--backend", backend, *flags, expect=code, environment=environment)
                for message in messages:
                    self.assertIn(message, said)
        self.assertFalse(os.path.exists(f"{self.folder}/refused/CURRENT"))

    def assert_near(self, ours, theirs):
        """The same items for the same customers, scores within 1e-3 of the largest one of the customer."""
        self.assertEqual(ours.keys(), theirs.keys())
        for customer, scores in ours.items():
            self.assertEqual(scores.keys(), theirs[customer].keys(), customer)
            most = max(abs(score) for score in scores.values())
            for item, score in scores.items():
                self.assertLess(abs(score - theirs[customer][item]), 1e-3 * most, (customer, item))

    def test_a_model_trained_on_either_backend_scores_alike(self):
        by_cpu, by_cuda = (scores_to_all(f"{self.folder}/{backend}", backend, self.folder) for backend in ("cpu", "cuda"))
        self.assertEqual(len(by_cuda), 60)
        self.assert_near(by_cuda, by_cpu)
        other = f"{self.folder}/other"
        self.train(other, "--backend", "cuda", "--seed", "2")  # what is another model must not pass
        with self.assertRaises(AssertionError):
            self.assert_near(scores_to_all(other, "cuda", self.folder), by_cpu)

    def test_training_again_gives_the_same_model(self):
        again = f"{self.folder}/again"
        self.train(again, "--backend", "cuda")
        self.assertEqual(scores_to_all(again, "cuda", self.folder), scores_to_all(self.models, "cuda", self.folder))

    def test_one_model_gives_the_same_answers_on_either_backend(self):
        for question in (["--customer", "c0", "c1", "c2", "nobody", "-k", "10"],
                         ["--customer", "c3", "-k", "25", "--include-purchased", "--exclude", "i1", "i2"],
                         ["--customer", "c4", "-k", "5", "--filter", "price < 20"]):
            by_cuda, by_cpu = (bouquet("recommend", "--models", self.models, *question, "--json", "--backend", backend) for backend in ("cuda", "cpu"))
            self.assertIn('"backend":"cuda"', by_cuda)
            self.assertEqual(by_cuda.replace('"backend":"cuda"', '"backend":"cpu"'), by_cpu)

    def test_a_profile_solved_for_the_request_scores_alike(self):
        ask = lambda backend: json.loads(bouquet("recommend", "--models", self.models, "--customer", "c0", "--context", "i31", "i33", "-k", "40", "--json",
                                                 "--backend", backend))["answers"]
        scores = lambda answers: {"c0": {row["item_id"]: row["score"] for row in answers[0]["results"]}}
        self.assert_near(scores(ask("cuda")), scores(ask("cpu")))

    def test_evaluates_alike(self):
        metrics = lambda backend: json.loads(bouquet(*self.commands()["evaluate"], "--json", "--backend", backend))["metrics"]
        self.assertGreater(metrics("cuda")["recall@10"]["value"], 0.5)
        self.assertEqual(metrics("cuda"), metrics("cpu"))

    def test_serves_what_the_command_answers(self):
        with tempfile.TemporaryDirectory(prefix="bouquet-") as place, Server(self.models, place, "--backend", "cuda") as server:
            answer = json.loads(bouquet("recommend", "--customer", "c0", "--server", server.address, "--json"))["answers"][0]
            self.assertTrue(answer.pop("recommendation_id"))
            self.assertEqual(answer["backend"], "cuda")
            by_cpu = json.loads(bouquet("recommend", "--customer", "c0", "--models", self.models, "--backend", "cpu", "--json"))["answers"][0]
            by_cpu.pop("recommendation_id")
            self.assertEqual({**answer, "backend": "cpu"}, by_cpu)
            self.assertEqual(server.stop(), 0)

    def test_a_dry_run_says_what_the_device_would_hold(self):
        for environment in ({}, {"EMULATION_NO_DEVICE": "1"}):
            plan = json.loads(self.train(f"{self.folder}/planned", "--backend", "cuda", "--dry-run", "--json", environment=environment))
            self.assertEqual(plan["device_bytes"]["factors"], (60 + 40) * 12 * 4)
            self.assertGreater(plan["device_bytes"]["cuBLAS workspace"], 0)
            self.assertEqual("no device" in plan["backend"], bool(environment))
        self.assertFalse(os.path.exists(f"{self.folder}/planned/CURRENT"))
        self.assertEqual(json.loads(self.train(f"{self.folder}/planned", "--backend", "cpu", "--dry-run", "--json"))["device_bytes"], {})

    def test_a_dry_run_counts_attributes_and_what_judges(self):
        def planned(**how):
            return json.loads(self.train(f"{self.folder}/planned", "--backend", "cuda", "--dry-run", "--json", **how))["device_bytes"]

        plain, attributed, judged = planned(), planned(attributes="on"), planned(validation="random:0.2")
        self.assertGreater(attributed.get("attributes", 0), plain.get("attributes", 0))
        self.assertNotIn("judging: rankers", plain)
        self.assertEqual(judged["judging: the model so far"], plain["factors"])
        self.assertGreater(judged["judging: rankers"], 0)

    def test_a_device_that_is_not_there_is_named(self):
        self.assert_refused(2, "--device is 3; this machine shows 1 CUDA device: 0", flags=("--device", "3"))
        self.assert_refused(4, "no CUDA device on this machine", "--backend cpu", environment={"EMULATION_NO_DEVICE": "1"})
        self.assert_refused(4, "CUDA_VISIBLE_DEVICES='' hides every CUDA device", environment={"EMULATION_NO_DEVICE": "1", "CUDA_VISIBLE_DEVICES": ""})

    def test_a_device_or_driver_that_is_too_old_is_named(self):
        self.assert_refused(4, "compute capability 6.1) is too old: 7.5 or newer is needed", environment={"EMULATION_CAPABILITY": "61"})
        self.assert_refused(4, "knows CUDA 11.8", "update the driver", environment={"EMULATION_DRIVER": "11080"})
        self.assert_refused(4, "knows CUDA 11.8", backend="auto", environment={"EMULATION_DRIVER": "11080"}, commands=("train", "serve"))

    def test_a_module_that_cannot_be_used_is_named(self):
        missing = {"BOUQUET_CUDA_MODULE": "/no/such/module.so"}
        self.assert_refused(4, "there is no CUDA module /no/such/module.so", "--backend cpu", environment=missing)
        another = {"BOUQUET_CUDA_MODULE": MODULE_OF_ANOTHER_BUILD}
        self.assert_refused(4, "is of build 0.0.1-of-another-build", "install the module that came with this program", environment=another)
        self.assert_refused(4, "is of build 0.0.1-of-another-build", backend="auto", environment=another, commands=("train", "serve"))
        self.assert_refused(4, "is not a module of Bouquet", environment={"BOUQUET_CUDA_MODULE": NO_MODULE}, commands=("train",))
        # Where the device is absent, not broken, auto goes on without it.
        answer = json.loads(bouquet(*self.commands()["recommend"], "--backend", "auto", "--json", environment=missing))["answers"][0]
        self.assertEqual(answer["backend"], "cpu")

    def test_what_is_larger_than_the_device_is_refused_with_its_table(self):
        small = {"EMULATION_MEMORY": "1000000"}  # less than cuBLAS's workspace
        self.assert_refused(4, "training needs more memory than the device has free:\n", "cuBLAS workspace", "A smaller --dimension",
                            environment=small, commands=("train",))
        tiny = {"EMULATION_MEMORY": "2000"}  # less than the factors
        self.assert_refused(4, "loading a model needs more memory than the device has free:\n", "profiles", "free", "A smaller --dimension",
                            environment=tiny, commands=("evaluate", "recommend", "serve"))

    def test_numbers_past_their_limit_are_refused(self):
        self.assert_refused(2, "k:", "1000", flags=("-k", "1001"), commands=("recommend",))
        self.assert_refused(2, "--dimension", flags=("--dimension", "1025"), commands=("train",))
        self.assert_refused(2, "--threads 4 with --backend cuda", flags=("--threads", "4"), commands=("train", "evaluate", "serve"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
