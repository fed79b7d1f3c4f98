#include "tools/lathe/line_reader.h"

#include <cerrno>
#include <unistd.h>
#include <utility>

namespace lathe::cli {
namespace {

void dropCarriageReturn(std::string &line) {
  if (!line.empty() && line.back() == '\r')
    line.pop_back();
}

} // namespace

bool LineReader::takeLine(std::string &line) {
  size_t end = buffer_.find('\n');
  if (end == std::string::npos)
    return false;
  line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  dropCarriageReturn(line);
  return true;
}

LineReader::Event LineReader::next(std::string &line) {
  while (!takeLine(line)) {
    char bytes[4096];
    ssize_t count = read(descriptor_, bytes, sizeof bytes);
    if (count < 0 && errno == EINTR) {
      buffer_.clear();
      return Event::interrupted;
    }
    if (count <= 0) {
      line = std::exchange(buffer_, "");
      dropCarriageReturn(line);
      return line.empty() ? Event::end : Event::line;
    }
    buffer_.append(bytes, count);
  }
  return Event::line;
}

} // namespace lathe::cli
