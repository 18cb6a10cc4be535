// Connection tracking as if it were a kernel module: loaded, in use by rules, unloaded.
//
// Theory of operation
//   In mode auto tracking runs while a rule needs it. A kernel module stays when the last rule that
//   used it goes, until somebody removes it: flush_rules() therefore first turns auto into on.
//   unload_tracking() turns it back into auto, which, without a rule that needs it, is off: packets
//   skip tracking, its files vanish, and the next rule that needs it brings it back.
#pragma once

#include <string>
#include <string_view>

#include "core/pipeline/router.hpp"

namespace nsr::router {

inline constexpr std::string_view kTrackingModule = "nf_conntrack";

void load_tracking(Router& router, Instant now);
// Empty, or the rule that needs it, in which case nothing changed.
std::string unload_tracking(Router& router, Instant now);
// Listing rules loads the module, as on the article's kernel.
void activate_by_view(Router& router, Instant now);
// As lsmod(8) prints it; empty but for the header when it is not loaded.
std::string module_listing(const Router& router);

}  // namespace nsr::router
