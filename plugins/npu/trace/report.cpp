#include "trace/report.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace npu {

double Report::pipeMicroseconds(Pipe pipe) const {
  double most = 0;
  for (const CoreTime &core : cores)
    most = std::max(most, core.pipes[static_cast<unsigned>(pipe)].busy);
  return most / clockMhz;
}

namespace {

struct Column {
  const char *title;
  Pipe pipe;
};
constexpr Column columns[] = {{"mac_us", Pipe::M},     {"mte1_us", Pipe::MTE1},
                              {"mte2_us", Pipe::MTE2}, {"fixpipe_us", Pipe::FIX},
                              {"vec_us", Pipe::V},     {"mte3_us", Pipe::MTE3},
                              {"scalar_us", Pipe::S}};

std::string cell(const std::string &value) {
  return std::string(value.size() < 12 ? 12 - value.size() : 0, ' ') + value;
}
std::string cell(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.2f", value);
  return cell(std::string(digits));
}

} // namespace

std::string columnsText(const Report &report) {
  std::string titles = cell("task_us") + cell("aicore_us");
  std::string values = cell(report.taskMicroseconds()) + cell(report.coreMicroseconds());
  for (const Column &column : columns) {
    titles += cell(column.title);
    values += cell(report.pipeMicroseconds(column.pipe));
  }
  return titles + "\n" + values + "\n";
}

double Report::cubeCycles() const {
  return peakOperationsPerCycle > 0 ? cubeOperations / peakOperationsPerCycle : 0;
}

std::string rooflineText(const Report &report) {
  double bound = report.boundCycles();
  char line[200];
  std::snprintf(line, sizeof line,
                "roofline: %.3g operations, %.3g bytes of memory; bound by %s at %.1f us, ran %.1f "
                "us: %.1f %%\n",
                report.cubeOperations, report.memoryBytes,
                report.cubeCycles() >= report.memoryCycles ? "cube" : "memory",
                bound / report.clockMhz, report.coreMicroseconds(),
                100 * bound / std::max(report.cycles, 1e-9));
  return line;
}

std::string chromeTrace(const Report &report, const Kernel &kernel) {
  using nlohmann::json;
  json events = json::array();
  auto microseconds = [&](double cycles) { return cycles / report.clockMhz; };
  auto nameOf = [&](unsigned core) {
    const CoreTime &time = report.cores[core];
    return text("block ", time.block, " ", name(time.kind), time.sub);
  };
  for (unsigned core = 0; core < report.cores.size(); ++core) {
    events.push_back(
        {{"ph", "M"}, {"name", "process_name"}, {"pid", core}, {"args", {{"name", nameOf(core)}}}});
    for (unsigned p = 0; p < numPipes; ++p)
      if (report.cores[core].pipes[p].instructions)
        events.push_back({{"ph", "M"},
                          {"name", "thread_name"},
                          {"pid", core},
                          {"tid", p},
                          {"args", {{"name", name(static_cast<Pipe>(p))}}}});
  }
  for (const Span &span : report.spans) {
    const Instruction &in = kernel.code(report.cores[span.core].kind)[span.instruction];
    events.push_back({{"ph", "X"},
                      {"name", infoOf(in.op).mnemonic},
                      {"pid", span.core},
                      {"tid", static_cast<unsigned>(span.pipe)},
                      {"ts", microseconds(span.begin)},
                      {"dur", microseconds(span.end - span.begin)},
                      {"args", {{"instruction", span.instruction}, {"text", disassemble(in)}}}});
  }
  for (const Mark &mark : report.marks)
    events.push_back({{"ph", "i"},
                      {"name", text("mark ", mark.id)},
                      {"pid", mark.core},
                      {"tid", 0},
                      {"ts", microseconds(mark.time)},
                      {"s", "t"}});
  return json{{"traceEvents", events}, {"displayTimeUnit", "ns"}}.dump();
}

} // namespace npu
