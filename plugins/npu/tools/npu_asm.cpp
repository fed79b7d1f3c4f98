// npu-asm: text and object files of the NPU, both ways, and the pages that are made from tables.
#include "device/device.h"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

namespace {

constexpr const char *usage =
    "npu-asm assemble IN.s OUT.npuo      text to an object file\n"
    "npu-asm disassemble IN.npuo         an object file as text, on stdout\n"
    "npu-asm check IN.npuo DEVICE        whether a device can run it\n"
    "npu-asm --reference                 the instructions, in Markdown\n"
    "npu-asm --devices                   the devices that are built in\n"
    "example: npu-asm assemble add.s add.npuo && npu-asm check add.npuo ascend-910b\n";

int refuse(const std::string &message) {
  std::fprintf(stderr, "error: %s\n", message.c_str());
  return 1;
}

npu::Result<std::string> contentOf(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file)
    return npu::error(path, ": cannot be read");
  return bytes;
}

npu::Status assembleFile(const std::string &from, const std::string &to) {
  NPU_ASSIGN_OR_RETURN(std::string source, contentOf(from));
  auto module = npu::assemble(source);
  if (!module.ok())
    return npu::error(from, ": ", module.message());
  std::ofstream file(to, std::ios::binary);
  file << npu::encode(*module);
  return file.flush() ? npu::Status() : npu::Status(npu::error(to, ": cannot be written"));
}

npu::Status disassembleFile(const std::string &from) {
  NPU_ASSIGN_OR_RETURN(std::string bytes, contentOf(from));
  NPU_ASSIGN_OR_RETURN(npu::Module module, npu::decode(bytes));
  std::cout << npu::disassemble(module);
  return {};
}

npu::Status check(const std::string &from, const std::string &deviceName) {
  NPU_ASSIGN_OR_RETURN(std::string bytes, contentOf(from));
  NPU_ASSIGN_OR_RETURN(npu::Module module, npu::decode(bytes));
  NPU_ASSIGN_OR_RETURN(npu::Device device, npu::builtinDevice(deviceName));
  for (const npu::Kernel &kernel : module.kernels)
    NPU_RETURN_IF_ERROR(npu::fits(device, kernel));
  std::cout << from << ": " << module.kernels.size() << " kernels, all fit " << deviceName << "\n";
  return {};
}

npu::Status listDevices() {
  for (std::string_view name : npu::builtinDeviceNames()) {
    NPU_ASSIGN_OR_RETURN(npu::Device device, npu::builtinDevice(name));
    std::cout << name << ": " << device.description << "\n";
  }
  return {};
}

} // namespace

int main(int argc, char **argv) {
  std::string verb = argc > 1 ? argv[1] : "";
  npu::Status status;
  if (verb == "assemble" && argc == 4)
    status = assembleFile(argv[2], argv[3]);
  else if (verb == "disassemble" && argc == 3)
    status = disassembleFile(argv[2]);
  else if (verb == "check" && argc == 4)
    status = check(argv[2], argv[3]);
  else if (verb == "--reference" && argc == 2)
    std::cout << npu::referencePage();
  else if (verb == "--devices" && argc == 2)
    status = listDevices();
  else
    return std::fputs(usage, verb == "--help" ? stdout : stderr), verb == "--help" ? 0 : 2;
  return status.ok() ? 0 : refuse(status.message());
}
