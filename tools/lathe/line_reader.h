// Lines of a terminal or a pipe, where waiting for one can be interrupted.
#pragma once

#include <string>

namespace lathe::cli {

class LineReader {
public:
  enum class Event { line, interrupted, end };

  explicit LineReader(int descriptor) : descriptor_(descriptor) {}

  // The next line without its end ("\n" or "\r\n"). `interrupted`: a signal came while it waited;
  // what was read so far is forgotten. A last line without an end is a line.
  Event next(std::string &line);

private:
  bool takeLine(std::string &line);

  int descriptor_;
  std::string buffer_;
};

} // namespace lathe::cli
