#include "runtime/cpu/elf_check.h"

#include <cstring>
#include <elf.h>

#include "base/status.h"

namespace lathe::runtime {
namespace {

absl::Status damaged(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("executable: ", what));
}

absl::Status checkHeader(const Elf64_Ehdr &header, uint64_t size) {
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return damaged("does not begin as ELF does");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != EM_X86_64)
    return damaged(absl::StrCat("ELF of machine ", header.e_machine, ", not of 64-bit x86 (",
                                EM_X86_64, ")"));
  if (header.e_type != ET_DYN)
    return damaged(absl::StrCat("ELF of type ", header.e_type, ", not a shared object (", ET_DYN,
                                ")"));
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0)
    return damaged("has no program headers that could be read");
  uint64_t table = uint64_t{header.e_phnum} * sizeof(Elf64_Phdr);
  if (header.e_phoff > size || table > size - header.e_phoff)
    return damaged(absl::StrCat("its program headers end behind its ", size, " bytes"));
  return absl::OkStatus();
}

absl::Status checkSegment(const Elf64_Phdr &segment, uint64_t size) {
  if (segment.p_type != PT_LOAD && segment.p_type != PT_DYNAMIC)
    return absl::OkStatus();
  if (segment.p_offset > size || segment.p_filesz > size - segment.p_offset)
    return damaged(absl::StrCat("a segment has ", segment.p_filesz, " bytes from ",
                                segment.p_offset, " on, the file has ", size));
  if (segment.p_memsz < segment.p_filesz)
    return damaged("a segment is smaller in memory than in the file");
  return absl::OkStatus();
}

} // namespace

absl::Status checkElf(absl::Span<const uint8_t> bytes) {
  Elf64_Ehdr header;
  if (bytes.size() < sizeof header)
    return damaged(absl::StrCat("has ", bytes.size(), " bytes, fewer than an ELF header"));
  std::memcpy(&header, bytes.data(), sizeof header);
  LATHE_RETURN_IF_ERROR(checkHeader(header, bytes.size()));
  bool has_dynamic = false;
  for (uint16_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, bytes.data() + header.e_phoff + i * sizeof segment, sizeof segment);
    LATHE_RETURN_IF_ERROR(checkSegment(segment, bytes.size()));
    has_dynamic |= segment.p_type == PT_DYNAMIC;
  }
  return has_dynamic ? absl::OkStatus() : damaged("has no dynamic segment");
}

} // namespace lathe::runtime
