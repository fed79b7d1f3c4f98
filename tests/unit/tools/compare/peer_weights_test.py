import pathlib
import tempfile
import unittest

from compare import gguf, peer_model, peer_weights
from random_checkpoint import SHAPES

TINY = SHAPES["tiny"] | {"hidden_size": 256, "kv_lora_rank": 64, "qk_nope_head_dim": 32}


class PeerWeights(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name) / "model.gguf"

    def write(self, kind):
        peer_weights.write(self.path, TINY, kind)
        return self.path.read_bytes()

    def test_a_file_is_header_and_tensors_and_nothing_else(self):
        for kind in ("Q8_0", "Q4_0", "BF16"):
            header = gguf.header(peer_model.metadata(TINY, kind), peer_model.tensors(TINY, kind))
            data = self.write(kind)
            self.assertEqual(len(data), len(header) + peer_model.file_bytes(TINY, kind))
            self.assertEqual(data[:len(header)], header)
            self.assertEqual([path.name for path in self.path.parent.iterdir()], ["model.gguf"])

    def test_the_same_seed_gives_the_same_bytes(self):
        self.assertEqual(self.write("Q4_0"), self.write("Q4_0"))

    def test_latent_tensors_change_type_where_they_stand_and_back(self):
        before = self.write("Q8_0")
        file = peer_weights.PeerFile(self.path, TINY, "Q8_0")
        file.use("BF16")
        changed = self.path.read_bytes()
        self.assertGreater(len(changed), len(before))
        header = gguf.header(peer_model.metadata(TINY, "Q8_0"), peer_model.tensors(TINY, "Q8_0", "BF16"))
        self.assertEqual(changed[:len(header)], header)
        kept = sum(gguf.padded(gguf.tensor_bytes(kind, shape)) for name, kind, shape in peer_model.tensors(TINY, "Q8_0")
                   if not name.endswith(peer_model.LATENT))
        self.assertEqual(changed[len(header):len(header) + kept], before[len(header):len(header) + kept])
        file.use("Q8_0")
        self.assertEqual(len(self.path.read_bytes()), len(before))

    def test_no_block_has_the_lowest_value_which_would_give_weights_a_mean(self):
        draw = peer_weights.random.Random(1)
        blocks = peer_weights.DRAW["Q8_0"](draw, 1.0)
        self.assertNotIn(0x80, b"".join(blocks[at + 2:at + 34] for at in range(0, len(blocks), 34)))
        blocks = peer_weights.DRAW["Q4_0"](draw, 1.0)
        nibbles = {half for at in range(0, len(blocks), 18) for byte in blocks[at + 2:at + 18] for half in (byte & 15, byte >> 4)}
        self.assertEqual(nibbles, set(range(1, 16)))
