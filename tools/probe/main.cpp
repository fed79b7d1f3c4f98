// lathe-probe PLUGIN [NAME=VALUE ...]: loads a plugin, opens its devices, and reports on
// descriptor 3. Not for people: liblathe_runtime.so starts it before it loads a plugin itself.
#include <cstring>

#include "runtime/plugin/probe.h"

int main(int count, char **arguments) {
  if (count < 2)
    return 2;
  lathe::runtime::PluginOptions options;
  for (int i = 2; i < count; ++i)
    if (char *sign = std::strchr(arguments[i], '='))
      options.options[std::string(arguments[i], sign - arguments[i])] = sign + 1;
  return lathe::runtime::probeInThisProcess(arguments[1], options, /*report=*/3);
}
