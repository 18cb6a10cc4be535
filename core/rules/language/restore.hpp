// iptables-save text changes rules that are there already.
// kernel: iptables-restore(8)
#pragma once

#include <optional>
#include <string_view>

#include "core/base/config_error.hpp"
#include "core/rules/ruleset.hpp"

namespace nsr::rules {

struct RestoreOptions {
    // Tables that the text names lose their rules and user chains first; policies stay unless the
    // text has others. False (-n): they keep them, and user chains that the text declares are
    // emptied.
    bool flush = true;
    // Counters of the text count (-c). False: chains and rules that it names begin at 0.
    bool counters = false;
    std::optional<TableId> only;  // -T: the other tables of the text are passed over
};

// On errors `into` is unchanged. Rules that stay the same keep what they remember; see
// keep_identity(). `file` is used for locations only.
ConfigErrors restore(std::string_view text, std::string_view file, Family family,
                     const RestoreOptions& options, Ruleset& into);

// The first half of it: what can be read goes into `into` even if there are errors, and check() and
// the identity of rules are the caller's.
ConfigErrors read_restore(std::string_view text, std::string_view file, Family family,
                          const RestoreOptions& options, Ruleset& into);

}  // namespace nsr::rules
