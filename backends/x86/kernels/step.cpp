#include "backends/x86/kernels/step.h"

namespace lathe::x86 {
namespace {

int64_t itemsOf(const Region &region, const Frame &frame) {
  Items rule = {region.items, region.rows_per_item, region.row_factor, region.row_source};
  return itemCount(rule, rowCount(frame, region.row_source));
}

// Regions between one pair of barriers: their items count through.
struct Group {
  const Step *step;
  const Frame *frame;
  const Region *regions;
  int64_t count;
};

void runGroup(const void *context, int64_t begin, int64_t end) {
  const Group &group = *static_cast<const Group *>(context);
  int64_t first = 0;
  for (int64_t i = 0; i < group.count && first < end; ++i) {
    const Region &region = group.regions[i];
    int64_t items = itemsOf(region, *group.frame);
    int64_t from = begin > first ? begin - first : 0;
    int64_t to = end - first < items ? end - first : items;
    if (from < to)
      group.step->tasks[region.task](group.frame, group.step->operands + region.operands, from, to);
    first += items;
  }
}

int64_t contextOf(const Frame &frame) {
  const int32_t *positions = reinterpret_cast<const int32_t *>(frame.buffers[Buffer::positions]);
  int64_t context = 0;
  for (int64_t t = 0; t < frame.rows; ++t)
    if (positions[t] >= context)
      context = int64_t{positions[t]} + 1;
  return context;
}

int64_t groupLength(const Region *regions, int64_t left) {
  int64_t length = 1;
  while (length < left && regions[length].joined && !regions[length].serial && !regions[0].serial)
    ++length;
  return length;
}

void run(const lathe_cpu_host *host, const Group &group) {
  int64_t items = 0;
  for (int64_t i = 0; i < group.count; ++i)
    items += itemsOf(group.regions[i], *group.frame);
  if (items <= 1 || group.regions[0].serial)
    runGroup(&group, 0, items);
  else
    host->parallel(host->pool, runGroup, &group, items);
}

// Whether a struct that may be older than this code holds the observer.
bool isObserved(const lathe_cpu_host &host) {
  return host.struct_size >= sizeof(lathe_cpu_host) && host.observe;
}

} // namespace
} // namespace lathe::x86

extern "C" void lathe_x86_run(const lathe_cpu_call *call, const lathe::x86::Step *step) {
  using namespace lathe::x86;
  Frame frame;
  for (int i = 0; i < LATHE_CPU_BUFFER_COUNT; ++i)
    frame.buffers[i] = static_cast<char *>(call->buffers[i]);
  frame.buffers[Buffer::constants] = static_cast<char *>(const_cast<void *>(step->constants));
  frame.rows = call->rows;
  frame.output_rows = call->output_rows;
  frame.context = contextOf(frame);
  bool observed = isObserved(*call->host);
  for (int64_t i = 0; i < step->region_count;) {
    int64_t length = groupLength(step->regions + i, step->region_count - i);
    run(call->host, {step, &frame, step->regions + i, length});
    if (observed)
      call->host->observe(call->host->observer, step->labels[step->regions[i].task]);
    i += length;
  }
}
