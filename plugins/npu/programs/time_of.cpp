#include "programs/time_of.h"

namespace npu {

static Result<uint64_t> valueOf(const Arg &arg, const LaunchInputs &inputs, Machine &machine) {
  if (auto number = inputs.numbers.find(arg.name); number != inputs.numbers.end())
    return number->second;
  if (auto table = inputs.tables.find(arg.name); table != inputs.tables.end()) {
    auto bytes = std::as_bytes(std::span(table->second));
    NPU_ASSIGN_OR_RETURN(uint64_t address, machine.memory().allocate(bytes.size()));
    NPU_RETURN_IF_ERROR(machine.write(address, bytes));
    return address;
  }
  auto bytes = inputs.bytes.find(arg.name);
  return machine.memory().reserve(bytes == inputs.bytes.end() ? arg.bytes : bytes->second);
}

Result<Report> timeOf(std::string_view deviceName,
                      const std::function<Result<Kernel>(const Device &)> &make,
                      const TimeOptions &given) {
  NPU_ASSIGN_OR_RETURN(Device device, builtinDevice(deviceName));
  NPU_ASSIGN_OR_RETURN(Kernel kernel, make(device));
  LaunchOptions options{.blocks = given.blocks ? given.blocks : device.groups,
                        .mode = Mode::TimingOnly};
  NPU_ASSIGN_OR_RETURN(std::unique_ptr<Machine> machine, Machine::create(device));
  std::vector<uint64_t> args;
  for (const Arg &arg : kernel.args) {
    NPU_ASSIGN_OR_RETURN(uint64_t value, valueOf(arg, given.inputs, *machine));
    args.push_back(value);
  }
  return machine->launch(kernel, args, 0, options);
}

} // namespace npu
