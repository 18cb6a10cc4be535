// iptables-save text changes rules that are there already.
// kernel: iptables-restore(8)
#pragma once

#include <string_view>

#include "core/base/config_error.hpp"
#include "core/rules/language/restore_options.hpp"
#include "core/rules/ruleset.hpp"
#include "core/rules/words/host_names.hpp"

namespace nsr::rules {

// On errors `into` is unchanged. Rules that stay the same keep what they remember; see
// keep_identity(). `file` is used for locations only. Names of
// hosts are looked up in `names`.
ConfigErrors restore(std::string_view text, std::string_view file, Family family,
                     const RestoreOptions& options, Ruleset& into, const HostNames& names = {});

// The first half of it: what can be read goes into `into` even if there are errors, and check() and
// the identity of rules are the caller's.
ConfigErrors read_restore(std::string_view text, std::string_view file, Family family,
                          const RestoreOptions& options, Ruleset& into,
                          const HostNames& names = {});

}  // namespace nsr::rules
