#include "runtime/cpu/elf_check.h"

#include <cstring>
#include <elf.h>
#include <functional>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/runtime/fake_model.h"

namespace lathe::runtime {
namespace {

using testing::HasSubstr;

absl::Status check(const std::string &bytes) {
  return checkElf({reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
}

// The code of the fake model, to be changed in place.
class Code {
public:
  Code() : bytes(fakeCode()) {}

  Elf64_Ehdr &header() { return at<Elf64_Ehdr>(0); }
  Elf64_Phdr &segment(uint32_t type, int which = 0) {
    for (int i = 0; i < header().e_phnum; ++i) {
      auto &segment = at<Elf64_Phdr>(header().e_phoff + i * sizeof(Elf64_Phdr));
      if (segment.p_type == type && which-- == 0)
        return segment;
    }
    ADD_FAILURE() << "no segment of type " << type;
    return at<Elf64_Phdr>(header().e_phoff);
  }
  Elf64_Dyn &dynamic(int64_t tag) {
    for (uint64_t offset = segment(PT_DYNAMIC).p_offset;; offset += sizeof(Elf64_Dyn)) {
      auto &entry = at<Elf64_Dyn>(offset);
      if (entry.d_tag == tag || entry.d_tag == DT_NULL)
        return entry;
    }
  }

  std::string bytes;

private:
  template <typename T> T &at(uint64_t offset) {
    return *reinterpret_cast<T *>(bytes.data() + offset);
  }
};

TEST(CheckElf, takesWhatALinkerMade) { EXPECT_EQ(check(Code().bytes), absl::OkStatus()); }

struct Case {
  const char *name;
  void (*edit)(Code &);
  const char *message;
};

class ElfField : public testing::TestWithParam<Case> {};

TEST_P(ElfField, isRefused) {
  Code code;
  GetParam().edit(code);
  EXPECT_THAT(check(code.bytes).message(), HasSubstr(GetParam().message));
}

const Case kCases[] = {
    {"nothing", [](Code &c) { c.bytes.clear(); }, "has 0 bytes; an ELF header alone has 64"},
    {"half_a_header", [](Code &c) { c.bytes.resize(63); }, "has 63 bytes"},
    {"magic", [](Code &c) { c.bytes[1] = 'e'; }, "does not begin as ELF does"},
    {"32_bit", [](Code &c) { c.header().e_ident[EI_CLASS] = ELFCLASS32; }, "not of 64-bit x86"},
    {"big_endian", [](Code &c) { c.header().e_ident[EI_DATA] = ELFDATA2MSB; }, "not of 64-bit x86"},
    {"arm", [](Code &c) { c.header().e_machine = EM_AARCH64; }, "ELF of machine 183"},
    {"program", [](Code &c) { c.header().e_type = ET_EXEC; },
     "ELF of type 2, not a shared object (3)"},
    {"no_segments", [](Code &c) { c.header().e_phnum = 0; }, "no program headers"},
    {"other_segment_size", [](Code &c) { c.header().e_phentsize = 32; }, "no program headers"},
    {"segments_behind_the_end", [](Code &c) { c.header().e_phoff = ~0ull - 8; },
     "its program headers end behind"},
    {"many_segments", [](Code &c) { c.header().e_phnum = 65535; },
     "its program headers end behind"},

    {"segment_behind_the_end", [](Code &c) { c.segment(PT_LOAD).p_offset = 1 << 20; },
     "the file has"},
    {"segment_over_the_end", [](Code &c) { c.segment(PT_LOAD, 1).p_filesz = 1 << 20; },
     "a segment has 1048576 bytes from"},
    {"segment_end_overflows", [](Code &c) { c.segment(PT_LOAD, 1).p_filesz = ~0ull; },
     "the file has"},
    {"segment_smaller_in_memory", [](Code &c) { c.segment(PT_LOAD).p_memsz = 1; },
     "smaller in memory than in the file"},
    {"segment_of_a_terabyte", [](Code &c) { c.segment(PT_LOAD, 1).p_memsz = 1ull << 40; },
     "it must end by 1073741824"},
    {"segment_far_away", [](Code &c) { c.segment(PT_LOAD, 1).p_vaddr = ~0ull - 4095; },
     "it must end by 1073741824"},
    {"segments_out_of_order", [](Code &c) { std::swap(c.segment(PT_LOAD), c.segment(PT_LOAD, 1)); },
     "the one before it ends at"},
    {"segments_overlap",
     [](Code &c) { c.segment(PT_LOAD, 1).p_vaddr = c.segment(PT_LOAD).p_vaddr; },
     "the one before it ends at"},

    {"no_dynamic_segment", [](Code &c) { c.segment(PT_DYNAMIC).p_type = PT_NULL; },
     "has no dynamic segment"},
    {"dynamic_not_loaded", [](Code &c) { c.segment(PT_DYNAMIC).p_vaddr = 1 << 24; },
     "a segment of type 2 at 16777216 is not in memory"},
    {"dynamic_too_long", [](Code &c) { c.segment(PT_DYNAMIC).p_filesz = 1 << 24; },
     "a segment of type 2"},
    {"dynamic_without_end", [](Code &c) { c.segment(PT_DYNAMIC).p_filesz = 32; },
     "its dynamic table does not end"},
    {"empty_dynamic", [](Code &c) { c.segment(PT_DYNAMIC).p_filesz = 0; },
     "its dynamic table does not end"},
    {"note_not_loaded",
     [](Code &c) {
       c.segment(PT_GNU_STACK).p_type = PT_NOTE;
       c.segment(PT_NOTE).p_vaddr = 1 << 24;
     },
     "of type 4"},
    {"relro_not_loaded", [](Code &c) { c.segment(PT_GNU_RELRO).p_vaddr = 1 << 24; },
     "is not in memory that is loaded"},
    {"relro_too_long", [](Code &c) { c.segment(PT_GNU_RELRO).p_memsz = 1 << 24; },
     "is not in memory that is loaded"},

    {"no_strings", [](Code &c) { c.dynamic(DT_STRTAB).d_tag = DT_DEBUG; },
     "its dynamic table lacks symbols"},
    {"no_symbols", [](Code &c) { c.dynamic(DT_SYMTAB).d_tag = DT_DEBUG; },
     "its dynamic table lacks symbols"},
    {"strings_elsewhere", [](Code &c) { c.dynamic(DT_STRTAB).d_un.d_ptr = 1 << 24; },
     "entry 5 of its dynamic table points to 16777216, which is not loaded"},
    {"strings_too_long", [](Code &c) { c.dynamic(DT_STRSZ).d_un.d_val = 1 << 24; },
     "entry 5 of its dynamic table"},
    {"symbols_elsewhere", [](Code &c) { c.dynamic(DT_SYMTAB).d_un.d_ptr = ~0ull; },
     "entry 6 of its dynamic table"},
    {"relocations_elsewhere", [](Code &c) { c.dynamic(DT_RELA).d_un.d_ptr = 1 << 30; },
     "entry 7 of its dynamic table"},
    {"relocations_too_many", [](Code &c) { c.dynamic(DT_RELASZ).d_un.d_val = ~0ull; },
     "entry 7 of its dynamic table"},
    {"relocations_of_another_size", [](Code &c) { c.dynamic(DT_RELAENT).d_un.d_val = 23; },
     "entry 9 of its dynamic table is 23, not 24"},
    {"symbols_of_another_size", [](Code &c) { c.dynamic(DT_SYMENT).d_un.d_val = 16; },
     "entry 11 of its dynamic table is 16, not 24"},
    {"relocations_of_another_kind", [](Code &c) { c.dynamic(DT_RELACOUNT).d_tag = DT_REL; },
     "relocations that x86-64 has not"},
};
INSTANTIATE_TEST_SUITE_P(Each, ElfField, testing::ValuesIn(kCases),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(CheckElf, refusesCodeCutShortWhereItIsLoaded) {
  Code code;
  uint64_t end = code.segment(PT_DYNAMIC).p_offset + code.segment(PT_DYNAMIC).p_filesz;
  for (uint64_t size = 0; size < end; size += 7)
    ASSERT_FALSE(check(code.bytes.substr(0, size)).ok()) << size;
}

TEST(CheckElf, neverCrashesWhateverTheBytesSay) {
  std::string good = fakeCode();
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string bad = good;
    for (int edits = 1 + random() % 6; edits > 0; --edits) // in the headers, or anywhere
      bad[random() % (random() % 2 ? 1024 : bad.size())] = static_cast<char>(random());
    (void)check(bad);
  }
}

} // namespace
} // namespace lathe::runtime
