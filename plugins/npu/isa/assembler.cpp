// Text to a module, line by line. Labels may be used before they stand, so they are filled in last.
#include "isa/program.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdlib>
#include <map>

namespace npu {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t' || text.front() == '\r'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    size_t end = text.find(separator);
    if (std::string_view part = trim(text.substr(0, end)); !part.empty())
      parts.push_back(part);
    if (end == text.npos)
      return parts;
    text.remove_prefix(end + 1);
  }
}

bool parseInteger(std::string_view text, int64_t &value) {
  bool negative = !text.empty() && text.front() == '-';
  if (negative)
    text.remove_prefix(1);
  bool hex = text.starts_with("0x");
  if (hex)
    text.remove_prefix(2);
  uint64_t magnitude = 0;
  auto [end, failure] =
      std::from_chars(text.data(), text.data() + text.size(), magnitude, hex ? 16 : 10);
  value = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
  return !text.empty() && failure == std::errc() && end == text.data() + text.size();
}

bool parseFloatBits(std::string_view text, int64_t &value) {
  if (text.size() < 2 || text.back() != 'f' || text.starts_with("0x"))
    return false;
  std::string digits(text.substr(0, text.size() - 1));
  char *end = nullptr;
  value = std::bit_cast<uint32_t>(std::strtof(digits.c_str(), &end));
  return end == digits.c_str() + digits.size();
}

class Assembler {
public:
  Result<Module> run(std::string_view source) {
    while (!source.empty()) {
      size_t end = std::min(source.find('\n'), source.size());
      ++lineNumber;
      NPU_RETURN_IF_ERROR(line(source.substr(0, end)));
      source.remove_prefix(std::min(end + 1, source.size()));
    }
    NPU_RETURN_IF_ERROR(closeCode());
    NPU_RETURN_IF_ERROR(verify(module));
    return std::move(module);
  }

private:
  template <class... Parts> Error refuse(const Parts &...parts) const {
    return error("line ", lineNumber, ": ", parts...);
  }

  Status line(std::string_view text) {
    text = trim(text.substr(0, text.find(';')));
    if (text.empty())
      return {};
    if (text.front() == '.')
      return directive(split(text, ' '));
    if (text.back() == ':' && text.find(' ') == text.npos)
      return label(trim(text.substr(0, text.size() - 1)));
    if (!code)
      return refuse("'", text, "' stands outside of code; begin it with .aic or .aiv");
    return instruction(text);
  }

  Status directive(const std::vector<std::string_view> &words) {
    if (words[0] == ".device" && words.size() == 2) {
      module.device = words[1];
      return {};
    }
    if (words[0] == ".kernel" && words.size() == 2) {
      NPU_RETURN_IF_ERROR(closeCode());
      module.kernels.emplace_back().name = words[1];
      return {};
    }
    if (module.kernels.empty())
      return refuse("'", words[0], "' stands before the first .kernel NAME");
    return kernelDirective(module.kernels.back(), words);
  }

  Status kernelDirective(Kernel &kernel, const std::vector<std::string_view> &words) {
    if (words[0] == ".aic" || words[0] == ".aiv") {
      NPU_RETURN_IF_ERROR(closeCode());
      code = words[0] == ".aic" ? &kernel.aic : &kernel.aiv;
      return {};
    }
    if (words[0] == ".arg")
      return arg(kernel, words);
    if (words[0] == ".buffer")
      return buffer(kernel, words);
    int64_t bytes = 0;
    if (words[0] != ".workspace" || words.size() != 2 || !parseInteger(words[1], bytes))
      return refuse(
          "'", words[0],
          "' is no directive, or has other words than it takes; known are "
          ".device NAME, .kernel NAME, .arg NAME buffer|scalar read|write|readwrite BYTES, "
          ".workspace BYTES, .buffer NAME aic|aiv SPACE OFFSET BYTES, .aic, .aiv");
    kernel.workspaceBytes = static_cast<uint64_t>(bytes);
    return {};
  }

  Status arg(Kernel &kernel, const std::vector<std::string_view> &words) {
    constexpr std::string_view accesses[] = {"read", "write", "readwrite"};
    int64_t bytes = 0;
    const auto *access =
        words.size() == 5 ? std::find(accesses, accesses + 3, words[3]) : accesses + 3;
    if (access == accesses + 3 || !parseInteger(words[4], bytes) ||
        (words[2] != "buffer" && words[2] != "scalar"))
      return refuse("write .arg NAME buffer|scalar read|write|readwrite BYTES");
    kernel.args.push_back(
        {std::string(words[1]), words[2] == "buffer" ? ArgKind::Buffer : ArgKind::Scalar,
         static_cast<ArgAccess>(access - accesses), static_cast<uint64_t>(bytes)});
    return {};
  }

  Status buffer(Kernel &kernel, const std::vector<std::string_view> &words) {
    int64_t offset = 0, bytes = 0;
    if (words.size() != 6 || !spaceNamed(words[3]) || !parseInteger(words[4], offset) ||
        !parseInteger(words[5], bytes) || (words[2] != "aic" && words[2] != "aiv"))
      return refuse("write .buffer NAME aic|aiv SPACE OFFSET BYTES");
    kernel.buffers.push_back(
        {std::string(words[1]), words[2] == "aic" ? CoreKind::Aic : CoreKind::Aiv,
         *spaceNamed(words[3]), static_cast<uint64_t>(offset), static_cast<uint64_t>(bytes)});
    return {};
  }

  Status label(std::string_view name) {
    if (!code)
      return refuse("label '", name, "' stands outside of code");
    if (!labels.emplace(name, static_cast<int64_t>(code->size())).second)
      return refuse("label '", name, "' stands twice; rename one");
    return {};
  }

  // The longest run of dotted words that is a mnemonic; what follows are types, then flags.
  Status head(std::string_view word, Instruction &instruction, const OpInfo *&info) {
    std::string_view mnemonic = word;
    while (!(info = opNamed(mnemonic))) {
      size_t dot = mnemonic.rfind('.');
      if (dot == mnemonic.npos)
        return refuse("'", word, "' is no instruction; the reference page lists them");
      mnemonic = mnemonic.substr(0, dot);
    }
    instruction.op = info->op;
    DType *next = &instruction.type;
    for (std::string_view suffix : split(word.substr(mnemonic.size()), '.')) {
      if (uint8_t flag = info->flag(suffix)) {
        instruction.flags |= flag;
      } else if (std::optional<DType> type = dtypeNamed(suffix); type && next) {
        *next = *type;
        next = next == &instruction.type ? &instruction.type2 : nullptr;
      } else {
        return refuse(info->mnemonic, " takes no suffix '.", suffix, "'");
      }
    }
    return {};
  }

  Status instruction(std::string_view line) {
    size_t space = std::min(line.find(' '), line.size());
    Instruction instruction;
    const OpInfo *info = nullptr;
    NPU_RETURN_IF_ERROR(head(line.substr(0, space), instruction, info));
    uint32_t given = 0;
    for (std::string_view word : split(line.substr(space), ','))
      NPU_RETURN_IF_ERROR(operand(word, instruction, *info, given));
    for (unsigned i = 0; i < info->operands.size(); ++i) {
      if (given >> i & 1)
        continue;
      if (!info->operands[i].fallback)
        return refuse(info->mnemonic, " lacks operand ", info->operands[i].name);
      instruction.operands[i] = *info->operands[i].fallback;
    }
    instruction.pipe = info->pipe == Pipe::NAMED
                           ? static_cast<Pipe>(instruction.operands[info->pipeOperand()])
                           : info->pipe;
    code->push_back(instruction);
    return {};
  }

  // A word with '=' goes to the operand of that name, another one to the next that has no fallback.
  Status operand(std::string_view word, Instruction &instruction, const OpInfo &info,
                 uint32_t &given) {
    size_t equals = word.find('=');
    for (unsigned i = 0; i < info.operands.size(); ++i) {
      const OperandInfo &candidate = info.operands[i];
      bool chosen = equals == word.npos ? !candidate.fallback && !(given >> i & 1)
                                        : candidate.name == trim(word.substr(0, equals));
      if (!chosen)
        continue;
      if (given >> i & 1)
        return refuse(info.mnemonic, ": ", candidate.name, " is given twice");
      given |= 1u << i;
      return value(trim(word.substr(equals == word.npos ? 0 : equals + 1)), instruction, info, i);
    }
    return refuse(info.mnemonic, ": '", word, "' is one operand too many, or has no known name");
  }

  Status value(std::string_view word, Instruction &instruction, const OpInfo &info, unsigned i) {
    const OperandInfo &operand = info.operands[i];
    int64_t &value = instruction.operands[i];
    if (size_t colon = word.find(':'); operand.kind == OperandKind::Address && colon != word.npos) {
      if (spaceNamed(word.substr(0, colon)) != operand.space)
        return refuse(info.mnemonic, ": ", operand.name, " is '", word, "', it must be in ",
                      name(operand.space));
      word = word.substr(colon + 1);
    }
    if (operand.kind == OperandKind::Label) {
      fixups.push_back({code->size(), i, std::string(word), lineNumber});
      return {};
    }
    if (operand.kind == OperandKind::Choice) {
      auto found = std::find(operand.choices->begin(), operand.choices->end(), word);
      if (found == operand.choices->end())
        return refuse(info.mnemonic, ": ", operand.name, " is '", word,
                      "', which it does not know");
      value = found - operand.choices->begin();
      return {};
    }
    if (word.starts_with('r') && parseInteger(word.substr(1), value) && value >= 0 &&
        value < static_cast<int64_t>(numRegisters)) {
      instruction.registers |= static_cast<uint16_t>(1u << i);
      return {};
    }
    if (parseInteger(word, value) || parseFloatBits(word, value))
      return {};
    return refuse(info.mnemonic, ": ", operand.name, " is '", word,
                  "', write a register r0 to r63, a number, or a float such as 0.5f");
  }

  Status closeCode() {
    for (const Fixup &fixup : fixups) {
      auto found = labels.find(fixup.label);
      if (found == labels.end())
        return error("line ", fixup.line, ": label '", fixup.label,
                     "' stands nowhere in this code");
      (*code)[fixup.instruction].operands[fixup.operand] = found->second;
    }
    fixups.clear();
    labels.clear();
    code = nullptr;
    return {};
  }

  struct Fixup {
    size_t instruction;
    unsigned operand;
    std::string label;
    size_t line;
  };

  Module module;
  std::vector<Instruction> *code = nullptr;
  std::map<std::string, int64_t, std::less<>> labels;
  std::vector<Fixup> fixups;
  size_t lineNumber = 0;
};

} // namespace

Result<Module> assemble(std::string_view source) { return Assembler().run(source); }

} // namespace npu
