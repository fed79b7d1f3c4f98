#include "runtime/cpu/elf_check.h"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <map>
#include <vector>

#include "base/status.h"

namespace lathe::runtime {
namespace {

constexpr uint64_t kMaxCode = uint64_t{1} << 30; // bytes, in the file and in memory
constexpr uint64_t kPage = 4096;

absl::Status damaged(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("executable: ", what));
}

// [begin, begin + size) within [0, limit), without overflow.
bool fits(uint64_t begin, uint64_t size, uint64_t limit) {
  return begin <= limit && size <= limit - begin;
}

// ---- The header, and the segments that it promises ----

absl::Status checkHeader(const Elf64_Ehdr &header, uint64_t size) {
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return damaged("does not begin as ELF does");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != EM_X86_64)
    return damaged(
        absl::StrCat("ELF of machine ", header.e_machine, ", not of 64-bit x86 (", EM_X86_64, ")"));
  if (header.e_type != ET_DYN)
    return damaged(
        absl::StrCat("ELF of type ", header.e_type, ", not a shared object (", ET_DYN, ")"));
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0)
    return damaged("has no program headers that could be read");
  if (!fits(header.e_phoff, uint64_t{header.e_phnum} * sizeof(Elf64_Phdr), size))
    return damaged(absl::StrCat("its program headers end behind its ", size, " bytes"));
  return absl::OkStatus();
}

std::vector<Elf64_Phdr> readSegments(absl::Span<const uint8_t> bytes, const Elf64_Ehdr &header) {
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  std::memcpy(segments.data(), bytes.data() + header.e_phoff, segments.size() * sizeof(Elf64_Phdr));
  return segments;
}

// ---- What is mapped ----

// The loader reserves memory from the first to the last segment and maps each over it, so one that
// is out of order would be mapped over memory of others.
absl::Status checkLoads(const std::vector<Elf64_Phdr> &loads, uint64_t size) {
  uint64_t end = 0;
  for (const Elf64_Phdr &load : loads) {
    if (!fits(load.p_offset, load.p_filesz, size))
      return damaged(absl::StrCat("a segment has ", load.p_filesz, " bytes from ", load.p_offset,
                                  " on, the file has ", size));
    if (load.p_memsz < load.p_filesz)
      return damaged("a segment is smaller in memory than in the file");
    if (!fits(load.p_vaddr, load.p_memsz, kMaxCode))
      return damaged(absl::StrCat("a segment has ", load.p_memsz, " bytes of memory from ",
                                  load.p_vaddr, " on; it must end by ", kMaxCode));
    if (load.p_vaddr < end)
      return damaged(absl::StrCat("a segment is at ", load.p_vaddr,
                                  " in memory, the one before it ends at ", end));
    end = load.p_vaddr + load.p_memsz;
  }
  return absl::OkStatus();
}

// The bytes of the file that are mapped at [address, address + size); nullptr where not all are.
const uint8_t *mappedBytes(absl::Span<const uint8_t> bytes, const std::vector<Elf64_Phdr> &loads,
                           uint64_t address, uint64_t size) {
  for (const Elf64_Phdr &load : loads)
    if (address >= load.p_vaddr && fits(address - load.p_vaddr, size, load.p_filesz))
      return bytes.data() + load.p_offset + (address - load.p_vaddr);
  return nullptr;
}

// Whether [address, address + size) is memory of a segment, up to the end of its last page.
bool isMapped(const std::vector<Elf64_Phdr> &loads, uint64_t address, uint64_t size) {
  return std::any_of(loads.begin(), loads.end(), [&](const Elf64_Phdr &load) {
    uint64_t end = (load.p_vaddr + load.p_memsz + kPage - 1) / kPage * kPage;
    return address >= load.p_vaddr && fits(address, size, end);
  });
}

// Segments that the loader looks into through what is mapped.
absl::Status checkInside(absl::Span<const uint8_t> bytes, const Elf64_Phdr &segment,
                         const std::vector<Elf64_Phdr> &loads) {
  bool read = segment.p_type == PT_DYNAMIC || segment.p_type == PT_NOTE ||
              segment.p_type == PT_GNU_PROPERTY || segment.p_type == PT_TLS;
  bool inside = !read || mappedBytes(bytes, loads, segment.p_vaddr, segment.p_filesz);
  if (segment.p_type == PT_GNU_RELRO) // made read-only
    inside = isMapped(loads, segment.p_vaddr, segment.p_memsz);
  return inside ? absl::OkStatus()
                : damaged(absl::StrCat("a segment of type ", segment.p_type, " at ",
                                       segment.p_vaddr, " is not in memory that is loaded"));
}

// ---- The dynamic table ----

using Dynamic = std::map<int64_t, uint64_t>; // tag to value

struct Table {
  int64_t address_tag, size_tag; // 0: its size is not said
};
// What the loader follows without asking.
constexpr Table kTables[] = {
    {DT_STRTAB, DT_STRSZ},
    {DT_SYMTAB, 0},
    {DT_RELA, DT_RELASZ},
    {DT_JMPREL, DT_PLTRELSZ},
    {DT_HASH, 0},
    {DT_GNU_HASH, 0},
    {DT_INIT, 0},
    {DT_FINI, 0},
    {DT_INIT_ARRAY, DT_INIT_ARRAYSZ},
    {DT_FINI_ARRAY, DT_FINI_ARRAYSZ},
    {DT_PLTGOT, 0},
    {DT_VERSYM, 0},
    {DT_VERNEED, 0},
    {DT_VERDEF, 0},
};

struct Constant {
  int64_t tag;
  uint64_t value;
};
// What the loader asserts.
constexpr Constant kConstants[] = {
    {DT_PLTREL, DT_RELA}, {DT_RELAENT, sizeof(Elf64_Rela)}, {DT_SYMENT, sizeof(Elf64_Sym)}};

absl::StatusOr<Dynamic> readDynamic(const uint8_t *at, uint64_t size) {
  Dynamic dynamic;
  for (; size >= sizeof(Elf64_Dyn); at += sizeof(Elf64_Dyn), size -= sizeof(Elf64_Dyn)) {
    Elf64_Dyn entry;
    std::memcpy(&entry, at, sizeof entry);
    if (entry.d_tag == DT_NULL)
      return dynamic;
    dynamic[entry.d_tag] = entry.d_un.d_val; // of equal tags the last one counts
  }
  return damaged("its dynamic table does not end");
}

absl::Status checkDynamic(const Dynamic &dynamic, const std::vector<Elf64_Phdr> &loads) {
  if (!dynamic.count(DT_STRTAB) || !dynamic.count(DT_SYMTAB) || dynamic.count(DT_REL))
    return damaged("its dynamic table lacks symbols or has relocations that x86-64 has not");
  for (const Constant &constant : kConstants)
    if (auto at = dynamic.find(constant.tag); at != dynamic.end() && at->second != constant.value)
      return damaged(absl::StrCat("entry ", constant.tag, " of its dynamic table is ", at->second,
                                  ", not ", constant.value));
  for (const Table &table : kTables) {
    auto at = dynamic.find(table.address_tag), size = dynamic.find(table.size_tag);
    if (at != dynamic.end() &&
        !isMapped(loads, at->second, size == dynamic.end() ? 1 : size->second))
      return damaged(absl::StrCat("entry ", table.address_tag, " of its dynamic table points to ",
                                  at->second, ", which is not loaded"));
  }
  return absl::OkStatus();
}

} // namespace

absl::Status checkElf(absl::Span<const uint8_t> bytes) {
  Elf64_Ehdr header;
  if (bytes.size() < sizeof header || bytes.size() > kMaxCode)
    return damaged(absl::StrCat("has ", bytes.size(), " bytes; an ELF header alone has ",
                                sizeof header, ", and at most ", kMaxCode, " are allowed"));
  std::memcpy(&header, bytes.data(), sizeof header);
  LATHE_RETURN_IF_ERROR(checkHeader(header, bytes.size()));
  std::vector<Elf64_Phdr> segments = readSegments(bytes, header), loads;
  std::copy_if(segments.begin(), segments.end(), std::back_inserter(loads),
               [](const Elf64_Phdr &segment) { return segment.p_type == PT_LOAD; });
  LATHE_RETURN_IF_ERROR(checkLoads(loads, bytes.size()));
  const Elf64_Phdr *dynamic = nullptr;
  for (const Elf64_Phdr &segment : segments) {
    LATHE_RETURN_IF_ERROR(checkInside(bytes, segment, loads));
    if (segment.p_type == PT_DYNAMIC)
      dynamic = &segment;
  }
  if (!dynamic)
    return damaged("has no dynamic segment");
  LATHE_ASSIGN_OR_RETURN(Dynamic table,
                         readDynamic(mappedBytes(bytes, loads, dynamic->p_vaddr, dynamic->p_filesz),
                                     dynamic->p_filesz));
  return checkDynamic(table, loads);
}

} // namespace lathe::runtime
