// The halves of the plugin, to its entry.
#pragma once

#include "plugin/border.h"

namespace npu::plugin {

extern const lathe_device_api device_api;   // device_half.cpp
extern const lathe_compile_api compile_api; // compile_half.cpp

} // namespace npu::plugin
