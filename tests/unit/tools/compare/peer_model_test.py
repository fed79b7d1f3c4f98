import math
import unittest

from compare import gguf, peer_model
from random_checkpoint import SHAPES, tensors


def names(shape, kind="Q8_0", latent=None):
    return {name: (type_, extents) for name, type_, extents in peer_model.tensors(SHAPES[shape], kind, latent)}


class PeerModel(unittest.TestCase):
    def test_both_sides_have_the_same_weights_in_number(self):
        for shape, config in SHAPES.items():
            ours = sum(math.prod(extents) for _, _, extents in tensors(config, fp8=False))
            theirs = sum(math.prod(extents) for name, (_, extents) in names(shape).items() if "rope_factors" not in name)
            self.assertEqual(theirs, ours, shape)

    def test_kv_b_is_split_for_deepseek_alone(self):
        self.assertEqual(names("v2-lite")["blk.3.attn_k_b.weight"][1], [16, 512, 128])
        self.assertEqual(names("v2-lite")["blk.3.attn_v_b.weight"][1], [16, 128, 512])
        self.assertNotIn("blk.3.attn_kv_b.weight", names("v2-lite"))
        self.assertEqual(names("minicpm3")["blk.3.attn_kv_b.weight"][1], [40 * 128, 256])

    def test_latent_tensors_end_the_file_and_can_have_another_type(self):
        listed = peer_model.tensors(SHAPES["v2-lite"], "Q8_0", "BF16")
        tail = listed[-2 * 27:]
        self.assertEqual({kind for _, kind, _ in tail}, {"BF16"})
        self.assertTrue(all(name.endswith(peer_model.LATENT) for name, _, _ in tail))
        self.assertNotIn("BF16", {kind for _, kind, _ in listed[:-2 * 27]})

    def test_types_are_those_of_the_quantiser(self):
        found = names("v2-lite", "Q4_0")
        self.assertEqual(found["output.weight"][0], "Q6_K")
        self.assertEqual(found["token_embd.weight"][0], "Q4_0")
        self.assertEqual(found["blk.1.ffn_gate_inp.weight"][0], "F32")
        self.assertEqual(found["blk.1.attn_norm.weight"][0], "F32")
        # Tied: the embedding is the head, too; its rows of 896 are no multiple of Q6_K's 256.
        self.assertEqual(names("dense-0.5b", "Q4_0")["token_embd.weight"][0], "Q8_0")

    def test_rows_that_no_block_divides_are_f16(self):
        self.assertEqual(names("tiny")["blk.0.attn_kv_a_mqa.weight"][0], "F16")

    def test_a_decoded_token_reads_the_chosen_experts_and_the_head(self):
        config = SHAPES["v2-lite"]
        active = peer_model.weight_bytes_per_token(config, "Q8_0")
        self.assertAlmostEqual(active / 1e9, 2.451 * 34 / 32, delta=0.02)  # 2.451 G active weights
        tied = SHAPES["dense-0.5b"]
        whole = sum(gguf.tensor_bytes(kind, extents) for _, kind, extents in peer_model.tensors(tied, "BF16"))
        self.assertEqual(peer_model.weight_bytes_per_token(tied, "BF16"), whole)

    def test_keys_say_what_llama_cpp_asks_for(self):
        keys = peer_model.metadata(SHAPES["v2-lite"], "Q8_0")
        self.assertEqual(keys["deepseek2.attention.key_length"], 576)
        self.assertEqual(keys["deepseek2.attention.head_count_kv"], 1)
        self.assertNotIn("deepseek2.attention.q_lora_rank", keys)
        self.assertEqual(peer_model.metadata(SHAPES["minicpm3"], "Q8_0")["minicpm3.attention.key_length"], 96)
        self.assertEqual(peer_model.metadata(SHAPES["v3-4-layers"], "Q8_0")["deepseek2.expert_gating_func"], 2)
