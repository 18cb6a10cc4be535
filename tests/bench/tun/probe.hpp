// What the running kernel takes, a line each.
#pragma once

namespace bench::tun {

void probe();

}  // namespace bench::tun
