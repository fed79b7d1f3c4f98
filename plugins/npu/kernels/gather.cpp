// Rows of a table by index: embeddings, rows of a step that are asked for, rows of experts.
#include "kernels/kernels.h"

namespace npu::kernels {
namespace {

class Gather {
public:
  Gather(const Device &device, const GatherPlan &plan)
      : device(device), plan(plan), kernel(device, "gather"), b(vector_core(kernel)) {}

  Result<Kernel> build() {
    index = b.arg(kernel.buffer("index", ArgAccess::Read, 0));
    table = b.arg(kernel.buffer("table", ArgAccess::Read, 0));
    out = b.arg(kernel.buffer("out", ArgAccess::Write, 0));
    rows = b.arg(kernel.scalar("rows"));
    table_rows = b.arg(kernel.scalar("table_rows"));
    uint64_t each = 2 * bitsOf(plan.table) / 8 + 2 * bitsOf(plan.out) / 8;
    tile = std::min(round_up(plan.cols, 16), b.freeBytes(Space::UB) * 9 / 10 / each / 16 * 16);
    numbers = b.allocate(Space::UB, 32, "index");
    bool converts = plan.table != plan.out;
    in.emplace(device, b, Space::UB, bytesOf(plan.table, tile), Pipe::MTE2,
               converts ? Pipe::V : Pipe::MTE3, "row");
    if (converts)
      made.emplace(device, b, Space::UB, bytesOf(plan.out, tile), Pipe::V, Pipe::MTE3, "made");
    share_out(b, rows, [&](Reg row) { one_row(row); });
    in->close();
    if (made)
      made->close();
    return kernel.finish();
  }

private:
  void one_row(Reg row) {
    order(device, b, Pipe::MTE2, Pipe::MTE2);
    b.ldUb(numbers, row_at(b, index, row, 4), 4, 1, 0, 0, true);
    order(device, b, Pipe::MTE2, Pipe::MTE2);
    b.loop(0, plan.cols, tile, [&](Reg col) { one_part(row, col); });
  }

  void one_part(Reg row, Reg col) {
    Operand n = b.min(tile, b.sub(plan.cols, col));
    unsigned size = bitsOf(plan.table) / 8, out_size = bitsOf(plan.out) / 8;
    b.ldUbGather(in->produce(), row_at(b, table, col, size), numbers, 1, b.mul(n, size),
                 plan.table_ld, table_rows);
    in->filled();
    Operand from = in->consume();
    if (made) {
      b.cast(plan.table, plan.out, made->produce(), from, {.cols = n});
      made->filled();
      in->release();
      from = made->consume();
    }
    b.stGm(b.add(row_at(b, out, row, plan.out_ld), b.mul(col, out_size)), from, b.mul(n, out_size));
    (made ? made : in)->release();
  }

  const Device &device;
  const GatherPlan &plan;
  KernelBuilder kernel;
  CoreBuilder &b;
  Operand index = 0, table = 0, out = 0, rows = 0, table_rows = 0;
  uint64_t tile = 0;
  Buffer numbers;
  std::optional<Ring> in, made;
};

} // namespace

Result<Kernel> gather(const Device &device, const GatherPlan &plan) {
  return Gather(device, plan).build();
}

} // namespace npu::kernels
