#include "sim/core.h"

#include <cstring>

namespace npu {

void execute(Core &core, const Issued &issued) {
  switch (issued.form()) {
  case Form::ScalarStore: {
    int64_t value = issued.v[1];
    std::memcpy(core.bytesAt(issued.info->operands[0].space, static_cast<uint64_t>(issued.v[0])),
                &value, bitsOf(issued.in->type) / 8);
    return;
  }
  case Form::Bursts:
  case Form::NdToNz:
  case Form::Gather:
  case Form::LoadA:
  case Form::LoadB:
  case Form::LoadScale:
  case Form::Store:
  case Form::Scatter: return executeTransfer(core, issued);
  case Form::Mmad:
  case Form::MmadMx: return executeCube(core, issued);
  case Form::FixGm:
  case Form::FixL1:
  case Form::FixUb: return executeFix(core, issued);
  case Form::GatherLocal:
  case Form::ScatterLocal:
  case Form::Compress:
  case Form::Interleave:
  case Form::Deinterleave:
  case Form::Sort32:
  case Form::MergeSort:
  case Form::Histogram:
  case Form::BroadcastBlock:
  case Form::Iota: return executePermute(core, issued);
  case Form::Scalar:
  case Form::ScalarLoad:
  case Form::Control:
  case Form::Sync: return;
  default: return executeVector(core, issued);
  }
}

} // namespace npu
