#include "border.h"

#include <cstdlib>
#include <new>

#include <dnnl.hpp>

namespace onednn {

lathe_host host;

namespace {

constexpr char kName[] = "onednn: ";

lathe_error *noMemory() noexcept {
  static constexpr char message[] = "onednn: the host's memory is used up";
  static lathe_error error = {sizeof error,
                              LATHE_ERROR_RESOURCE_EXHAUSTED,
                              0,
                              {message, sizeof message - 1},
                              [](lathe_error *) {}};
  return &error;
}

uint32_t codeOf(const dnnl::error &error) {
  switch (error.status) {
  case dnnl_out_of_memory: return LATHE_ERROR_RESOURCE_EXHAUSTED;
  case dnnl_unimplemented: return LATHE_ERROR_UNIMPLEMENTED;
  default: return LATHE_ERROR_INTERNAL;
  }
}

} // namespace

// The text stands behind the struct, in one block.
lathe_error *giveError(uint32_t code, std::string_view message) noexcept {
  const size_t name = sizeof kName - 1;
  void *block = std::malloc(sizeof(lathe_error) + name + message.size());
  if (!block)
    return noMemory();
  char *words = static_cast<char *>(block) + sizeof(lathe_error);
  std::memcpy(words, kName, name);
  std::memcpy(words + name, message.data(), message.size());
  return new (block) lathe_error{
      sizeof(lathe_error), code, 0, {words, name + message.size()}, [](lathe_error *error) {
        std::free(error);
      }};
}

lathe_error *giveCurrentError() noexcept {
  try {
    throw;
  } catch (const Failure &failure) {
    return giveError(failure.code, failure.message);
  } catch (const dnnl::error &error) {
    return giveError(codeOf(error), error.what());
  } catch (const std::bad_alloc &) {
    return noMemory();
  } catch (const std::exception &exception) {
    return giveError(LATHE_ERROR_INTERNAL, exception.what());
  } catch (...) {
    return giveError(LATHE_ERROR_INTERNAL, "failed without a reason");
  }
}

void writeText(lathe_text_out &out, std::string_view text) {
  out.size = text.size();
  const size_t room = out.capacity < text.size() ? out.capacity : text.size();
  if (out.data && room > 0)
    std::memcpy(out.data, text.data(), room);
}

} // namespace onednn
