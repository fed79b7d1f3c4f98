// What launches took, for people: a table with a line an operation, and a trace of the first
// launches that Perfetto opens.
#pragma once

#include "trace/report.h"

#include <map>
#include <nlohmann/json.hpp>

namespace npu::plugin {

class Profile {
public:
  explicit Profile(std::string file) : file(std::move(file)) {}

  // Whether instructions of the next launch will stand in the trace.
  bool traces() const { return launches < most_traced; }
  void note(const std::string &label, const Kernel &kernel, const Report &report);
  // FILE and FILE.txt; what went wrong, or "".
  std::string write() const;

private:
  static constexpr uint64_t most_traced = 64;
  struct Usage {
    uint64_t launches = 0;
    double microseconds = 0, bound = 0; // of cores; what memory and cube allow
    std::array<double, numPipes> pipes{};
  };

  void trace(const Kernel &kernel, const Report &report);
  std::string table() const;

  std::string file;
  uint64_t launches = 0;
  std::map<std::string, Usage> usage; // by label
  nlohmann::json events = nlohmann::json::array();
  std::map<std::string, unsigned> processes; // number of each core in the trace
  double begin = 0;                          // microseconds, of the next launch in the trace
};

} // namespace npu::plugin
