// Whether a device can run a kernel: pipes, memories, paths, types.
#include "device/device.h"

namespace npu {
namespace {

// Where an instruction stands, for messages.
struct Place {
  const Device &device;
  const Kernel &kernel;
  CoreKind core;
  size_t index;
};

std::ostream &operator<<(std::ostream &out, const Place &place) {
  return out << "kernel '" << place.kernel.name << "' ." << name(place.core) << " #" << place.index
             << " (" << disassemble(place.kernel.code(place.core)[place.index]) << ") on "
             << place.device.name << ": ";
}

Status fitsTypes(const Device &device, const Instruction &in, const Place &where) {
  const OpInfo &info = infoOf(in.op);
  const VectorSpec &vector = device.vector;
  auto in1 = static_cast<unsigned>(in.type), in2 = static_cast<unsigned>(in.type2);
  if (info.form == Form::Mmad || info.form == Form::MmadMx) {
    const CubeTile *tile = device.cube.find(in.type, in.type2);
    return tile ? Status()
                : Status(error(where, "the cube has no ", name(in.type), " by ", name(in.type2),
                               "; cast first, or choose another device"));
  }
  if (info.form == Form::Cast) {
    auto from = vector.casts.find(in.type);
    bool known = from != vector.casts.end() && from->second >> in2 & 1;
    return known ? Status()
                 : Status(error(where, "the vector unit has no cast from ", name(in.type), " to ",
                                name(in.type2), "; go through a type between them"));
  }
  // Whatever moves bytes without reading numbers works for any type of its size.
  bool moves = in.op == Op::Vcopy || info.form == Form::GatherLocal ||
               info.form == Form::ScatterLocal || info.form == Form::Compress ||
               info.form == Form::Interleave || info.form == Form::Deinterleave ||
               info.form == Form::BroadcastBlock;
  if (in.pipe == Pipe::V && info.types && !moves && !(vector.types >> in1 & 1))
    return error(where, "the vector unit does not compute in ", name(in.type),
                 "; cast to f32 first");
  return {};
}

Status fits(const Device &device, const Instruction &in, CoreKind core, const Place &where) {
  const OpInfo &info = infoOf(in.op);
  if (!device.has(core, in.pipe))
    return error(where, "an ", name(core), " core has no pipe ", name(in.pipe));
  bool flags = in.op == Op::SetFlag || in.op == Op::WaitFlag;
  if (flags && !device.sync.eventsPerPair)
    return error(where, "this device has no flags; use sync_class");
  if (flags)
    for (unsigned i : {0u, 1u})
      if (!device.has(core, static_cast<Pipe>(in.operands[i])))
        return error(where, "an ", name(core), " core has no pipe ",
                     name(static_cast<Pipe>(in.operands[i])));
  if (in.op == Op::SyncClass && device.sync.kind != SyncKind::ClassBarriers)
    return error(where, "this device has no class barriers; use flags");
  for (const OperandInfo &operand : info.operands)
    if (operand.kind == OperandKind::Address && operand.space != Space::GM &&
        (!device.spec(operand.space).bytes || device.spec(operand.space).core != core)) {
      bool optional = operand.fallback.has_value();
      if (!optional || (in.flags & info.flag(operand.space == Space::BT ? "bias" : "fb")))
        return error(where, "an ", name(core), " core has no memory ", name(operand.space));
    }
  bool transfer =
      in.pipe != Pipe::S && in.pipe != Pipe::M && in.pipe != Pipe::V && info.form != Form::Sync;
  if (transfer && !device.pathOf(in))
    return error(where, "the device has no such path");
  if (in.op == Op::Vhist && !device.vector.histogram)
    return error(where, "the device has no vhist; count with compares or on the scalar unit");
  return fitsTypes(device, in, where);
}

} // namespace

Status fits(const Device &device, const Kernel &kernel) {
  for (CoreKind core : {CoreKind::Aic, CoreKind::Aiv}) {
    const std::vector<Instruction> &code = kernel.code(core);
    if (!code.empty() && !device.perGroup(core))
      return error("kernel '", kernel.name, "': has .", name(core), " code, device ", device.name,
                   " has no such cores; put all code into .aic");
    for (size_t i = 0; i < code.size(); ++i)
      NPU_RETURN_IF_ERROR(fits(device, code[i], core, Place{device, kernel, core, i}));
  }
  return {};
}

} // namespace npu
