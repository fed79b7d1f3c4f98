import struct
import unittest

from compare import gguf


class Gguf(unittest.TestCase):
    def test_header_is_aligned_and_counts_what_follows(self):
        header = gguf.header({"a": 1, "b": 2.0, "c": True, "d": "text"}, [("t", "Q8_0", [3, 64])])
        self.assertEqual(len(header) % gguf.ALIGNMENT, 0)
        self.assertEqual(struct.unpack_from("<4sIQQ", header), (b"GGUF", 3, 1, 4))

    def test_extents_stand_innermost_first_and_offsets_are_padded(self):
        header = gguf.header({}, [("x", "F32", [3]), ("y", "Q4_0", [2, 5, 32])])
        first, second = header.index(b"x") + 1, header.index(b"y") + 1
        self.assertEqual(struct.unpack_from("<IQIQ", header, first), (1, 3, 0, 0))
        self.assertEqual(struct.unpack_from("<IQQQIQ", header, second), (3, 32, 5, 2, 2, 32))

    def test_values_say_their_type(self):
        header = gguf.header({"k": True}, [])
        self.assertEqual(struct.unpack_from("<I?", header, header.index(b"k") + 1), (7, True))

    def test_bytes_of_a_tensor_are_those_of_its_blocks(self):
        self.assertEqual(gguf.tensor_bytes("Q8_0", [3, 64]), 3 * 2 * 34)
        self.assertEqual(gguf.tensor_bytes("Q6_K", [256]), 210)
        self.assertEqual(gguf.tensor_bytes("BF16", [7, 3]), 42)
