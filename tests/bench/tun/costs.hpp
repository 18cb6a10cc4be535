// What it costs to write one frame and to read one, in ns, with nobody at the ends.
#pragma once

#include <string>

namespace bench::tun {

// Makes the device, says "ready", waits for a line, and prints a table. By then the namespace is to
// forward what comes from the device back to it.
void print_costs(const std::string& netns, bool napi);

}  // namespace bench::tun
