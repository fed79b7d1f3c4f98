import pathlib
import tempfile
import unittest

try:
    import numpy as np
except ImportError:
    raise unittest.SkipTest("numpy is not installed")

import random_checkpoint
from compare import checkpoint_weights, expert_load, peer_weights

TOKENS = 64


class ExpertLoad(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def load_of(self, weights, config):
        counts = expert_load.counts_of(weights, config, TOKENS)
        self.assertTrue((counts.sum(1) == TOKENS * config["num_experts_per_tok"]).all())
        return expert_load.summary(counts, config["num_experts_per_tok"])

    def test_random_checkpoints_use_their_experts_evenly(self):
        for fp8 in (False, True):
            config = random_checkpoint.config_of("tiny", fp8)
            random_checkpoint.write_folder(self.path, config, seed=1)
            self.assertTrue(expert_load.is_even(self.load_of(checkpoint_weights.HfWeights(self.path, config), config)))

    def test_the_peer_s_models_do_as_well(self):
        config = random_checkpoint.SHAPES["tiny"] | {"hidden_size": 256, "kv_lora_rank": 64, "qk_nope_head_dim": 32,
                                                     "moe_intermediate_size": 64, "intermediate_size": 128}
        for kind in ("Q8_0", "Q4_0", "BF16"):
            peer_weights.write(self.path / "m.gguf", config, kind)
            load = self.load_of(checkpoint_weights.GgufWeights(self.path / "m.gguf", config, kind), config)
            self.assertTrue(expert_load.is_even(load), (kind, load))

    def test_one_expert_for_all_is_uneven(self):
        counts = np.zeros((3, 64), int)
        counts[:, :6] = 128
        self.assertFalse(expert_load.is_even(expert_load.summary(counts, 6)))
        self.assertTrue(expert_load.is_even(expert_load.summary(np.full((3, 64), 12), 6)))

    def test_groups_are_chosen_before_experts(self):
        config = {"n_group": 2, "topk_group": 1, "num_experts_per_tok": 2, "scoring_func": "sigmoid",
                  "norm_topk_prob": True, "routed_scaling_factor": 2.0}
        router = np.array([[4.0], [-9], [3], [2]], np.float32)  # the best one is in the worse group

        class Layer:
            def matrix(self, _):
                return router

            def router_bias(self):
                return 0

        chosen, share = expert_load._route(Layer(), config, np.ones((1, 1), np.float32))
        self.assertEqual(chosen.tolist(), [[2, 3]])
        self.assertAlmostEqual(float(share.sum()), 2.0, places=5)


class Values(unittest.TestCase):
    def test_e4m3(self):
        values = checkpoint_weights.e4m3_values()
        self.assertEqual([values[code] for code in (0x00, 0x01, 0x38, 0x7E, 0xB8)], [0, 2.0 ** -9, 1, 448, -1])

    def test_blocks_of_gguf(self):
        half = np.array([0.5], np.float16).tobytes()
        q8 = np.frombuffer(half + bytes([2, 0xFE]) + bytes(30), np.uint8)
        self.assertEqual(checkpoint_weights._blocks("Q8_0", q8)[0, :3].tolist(), [1, -1, 0])
        q4 = np.frombuffer(half + bytes([0x9A]) + bytes([0x88] * 15), np.uint8)
        values = checkpoint_weights._blocks("Q4_0", q4)[0]
        self.assertEqual((values[0], values[16], values[1]), (1, 0.5, 0))  # low halves come first
