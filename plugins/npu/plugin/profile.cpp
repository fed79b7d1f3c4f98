#include "plugin/profile.h"

#include <algorithm>
#include <cstdio>
#include <fstream>

namespace npu::plugin {

void Profile::note(const std::string &label, const Kernel &kernel, const Report &report) {
  if (traces())
    trace(kernel, report);
  ++launches;
  Usage &sum = usage[label];
  ++sum.launches;
  sum.microseconds += report.coreMicroseconds();
  sum.bound += report.boundCycles() / report.clockMhz;
  for (unsigned pipe = 0; pipe < numPipes; ++pipe)
    sum.pipes[pipe] += report.pipeMicroseconds(static_cast<Pipe>(pipe));
}

// A launch numbers the cores that it has; here a core has one number in all launches.
void Profile::trace(const Kernel &kernel, const Report &report) {
  nlohmann::json one = nlohmann::json::parse(chromeTrace(report, kernel));
  std::map<unsigned, unsigned> numbers;
  for (nlohmann::json &event : one["traceEvents"]) {
    unsigned pid = event["pid"];
    if (event["name"] == "process_name") {
      std::string core = event["args"]["name"];
      numbers[pid] =
          processes.try_emplace(core, static_cast<unsigned>(processes.size())).first->second;
    }
    event["pid"] = numbers[pid];
    if (event.contains("ts"))
      event["ts"] = double{event["ts"]} + begin;
    events.push_back(std::move(event));
  }
  begin += report.taskMicroseconds();
}

// What took longest stands first.
std::string Profile::table() const {
  std::vector<std::pair<std::string, Usage>> lines(usage.begin(), usage.end());
  std::sort(lines.begin(), lines.end(), [](const auto &a, const auto &b) {
    return a.second.microseconds > b.second.microseconds;
  });
  std::string result = "    launches     core_us    bound_us  busiest pipe      operation\n";
  for (const auto &[label, sum] : lines) {
    auto busiest = std::max_element(sum.pipes.begin(), sum.pipes.end());
    auto pipe = static_cast<Pipe>(busiest - sum.pipes.begin());
    char line[256];
    std::snprintf(line, sizeof line, "%12llu%12.2f%12.2f  %-5s %5.1f %%     ",
                  static_cast<unsigned long long>(sum.launches), sum.microseconds, sum.bound,
                  std::string(name(pipe)).c_str(),
                  100 * *busiest / std::max(sum.microseconds, 1e-9));
    result += line + label + "\n";
  }
  return result;
}

std::string Profile::write() const {
  std::ofstream lines(file + ".txt"), json(file);
  lines << table();
  json << nlohmann::json{{"traceEvents", events}, {"displayTimeUnit", "ns"}}.dump();
  return lines.flush() && json.flush() ? "" : text("cannot write ", file);
}

} // namespace npu::plugin
