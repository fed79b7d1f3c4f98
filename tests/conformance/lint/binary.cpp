// Rules of the file: its dynamic symbols, read without loading it.
#include <elf.h>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/file.h"
#include "base/status.h"
#include "runtime/abi/plugin.h"
#include "tests/conformance/lint/lint.h"

namespace lathe::conformance {
namespace {

struct Symbols {
  std::set<std::string> exported, imported;
};

template <typename Entry>
const Entry *at(absl::Span<const uint8_t> bytes, uint64_t offset, uint64_t count = 1) {
  const bool fits = offset <= bytes.size() && count <= (bytes.size() - offset) / sizeof(Entry);
  return fits ? reinterpret_cast<const Entry *>(bytes.data() + offset) : nullptr;
}

absl::StatusOr<Symbols> symbolsOf(absl::Span<const uint8_t> bytes) {
  const auto *header = at<Elf64_Ehdr>(bytes, 0);
  if (!header || std::string(reinterpret_cast<const char *>(header->e_ident), 4) != ELFMAG)
    return absl::UnimplementedError("it is no ELF file");
  const auto *sections = at<Elf64_Shdr>(bytes, header->e_shoff, header->e_shnum);
  Symbols symbols;
  for (int i = 0; sections && i < header->e_shnum; ++i) {
    if (sections[i].sh_type != SHT_DYNSYM || sections[i].sh_link >= header->e_shnum)
      continue;
    const uint64_t count = sections[i].sh_size / sizeof(Elf64_Sym);
    const auto *table = at<Elf64_Sym>(bytes, sections[i].sh_offset, count);
    const Elf64_Shdr &names = sections[sections[i].sh_link];
    const auto *text = at<char>(bytes, names.sh_offset, names.sh_size);
    for (uint64_t s = 1; table && text && s < count; ++s) {
      if (table[s].st_name >= names.sh_size || ELF64_ST_BIND(table[s].st_info) == STB_LOCAL)
        continue;
      (table[s].st_shndx == SHN_UNDEF ? symbols.imported : symbols.exported)
          .insert(text + table[s].st_name);
    }
  }
  return symbols;
}

absl::StatusOr<Symbols> symbolsOf(const TargetOptions &options) {
  LATHE_ASSIGN_OR_RETURN(MappedFile file, MappedFile::open(options.plugin));
  return symbolsOf(file.bytes());
}

absl::Status exportsOneSymbol(const TargetOptions &options) {
  LATHE_ASSIGN_OR_RETURN(Symbols symbols, symbolsOf(options));
  if (!symbols.exported.count(LATHE_PLUGIN_SYMBOL))
    return absl::InternalError("it does not export " LATHE_PLUGIN_SYMBOL);
  symbols.exported.erase(LATHE_PLUGIN_SYMBOL);
  if (symbols.exported.empty())
    return absl::OkStatus();
  return absl::InternalError(absl::StrCat("it exports ", symbols.exported.size(),
                                          " more: ", *symbols.exported.begin(),
                                          "; hide them (-fvisibility=hidden, a version script)"));
}

absl::Status importsNone(const TargetOptions &options, const std::set<std::string> &names) {
  LATHE_ASSIGN_OR_RETURN(Symbols symbols, symbolsOf(options));
  std::vector<std::string> found;
  for (const std::string &name : names)
    if (symbols.imported.count(name))
      found.push_back(name);
  return found.empty() ? absl::OkStatus()
                       : absl::InternalError(absl::StrCat("it uses ", absl::StrJoin(found, ", ")));
}

} // namespace

std::vector<Rule> binaryRules() {
  return {
      {"exports_one_symbol", "a plugin exports lathe_plugin_entry and nothing else",
       exportsOneSymbol},
      {"reads_no_environment", "options come from the host, not from the environment",
       [](const TargetOptions &options) {
         return importsNone(options, {"getenv", "secure_getenv", "setenv", "putenv", "environ"});
       }},
      {"prints_nothing", "what a plugin has to say goes to lathe_host.log",
       [](const TargetOptions &options) {
         return importsNone(options, {"printf", "puts", "putchar", "perror", "vprintf",
                                      "__printf_chk", "_ZSt4cout", "_ZSt4cerr"});
       }},
      {"ends_no_process", "errors go back to the host", [](const TargetOptions &options) {
         return importsNone(options, {"exit", "_exit", "quick_exit"});
       }}};
}

} // namespace lathe::conformance
