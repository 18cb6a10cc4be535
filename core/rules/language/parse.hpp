// iptables-save text becomes a Ruleset.
// kernel: iptables-restore(8)
#pragma once

#include <string_view>

#include "core/base/config_error.hpp"
#include "core/rules/ruleset.hpp"
#include "core/rules/words/host_names.hpp"

namespace nsr::rules {

// iptables-save / ip6tables-save text. Tables named in it replace those of `into`; others stay. On
// errors `into` is unchanged. `file` is used for locations only. Names of hosts are looked up in
// `names`.
ConfigErrors parse_save(std::string_view text, std::string_view file, Family family, Ruleset& into,
                        const HostNames& names = {});

// The first half of it, for texts that are judged together with others: what can be read goes into
// `into` even if there are errors, and check() is the caller's.
ConfigErrors read_save(std::string_view text, std::string_view file, Family family, Ruleset& into,
                       const HostNames& names = {});

}  // namespace nsr::rules
