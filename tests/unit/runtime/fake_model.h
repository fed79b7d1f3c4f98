// Artifacts around the code of fake_model.c, and what it computes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "artifact/manifest.h"
#include "runtime/cpu/device.h"
#include "runtime/module/module.h"
#include "runtime/session/session.h"
#include "tests/unit/scratch_folder.h"

namespace lathe::runtime {

inline constexpr int32_t kFakeVocab = 32, kFakeUnlucky = 13;
inline constexpr int64_t kFakeContext = 64;
inline constexpr uint32_t kFakePrefillRows = 8;

// One target "x86-64" that needs no feature, with a decode and a prefill step.
artifact::Manifest fakeManifest();

// The bytes of a shared object: "fake_model", or one that is wrong in the way of its name:
// "fake_no_symbol", "fake_short_table", "fake_version", "fake_no_entries", "fake_many_entries",
// "fake_nameless_entry", "fake_empty_entry".
std::string fakeCode(const std::string &name = "fake_model");

// Writes FOLDER/NAME.lathe with sections code.v0, weights.0 and tokenizer.json; gives its path.
std::string writeFake(const ScratchFolder &folder,
                      const artifact::Manifest &manifest = fakeManifest(),
                      const std::string &code = fakeCode(), const std::string &name = "fake");

// The logits behind the last of these tokens, computed here.
std::vector<float> fakeLogits(absl::Span<const int32_t> tokens);

// A session with the fake model. Everything that goes wrong ends the test program.
std::unique_ptr<Session> fakeSession(int threads = 1, const SessionOptions &options = {},
                                     const artifact::Manifest &manifest = fakeManifest());

} // namespace lathe::runtime
