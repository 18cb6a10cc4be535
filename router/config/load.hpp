// From the text of a configuration to a Config.
//
// Theory of operation
//   load_config() reads the file, then every file it names (rules, sysctl.conf, rule files of
//   replay events), and either gives a Config in which every name is resolved and every value is in
//   range, or all that is wrong with it, each with file, line and column. It changes nothing in the
//   world: a plan is made from the value later. Files: toml (text to a tree in the file's
//   order; a syntax error ends there), section (typed access, unknown keys), sections,
//   rules_section (native rules become iptables words, then rules::Rule), replay_section, check
//   (what only several parts together can get wrong), build (Config to nsr::Router).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "router/config/config.hpp"

namespace nsr::router {

// `memory_bytes` is what the connection table may use; 0: not known here, any size will do.
Result<Config, ConfigErrors> load_config(const std::string& path, std::uint64_t memory_bytes = 0);
// The same for a text that was read already; `path` names it and says where its folder is.
Result<Config, ConfigErrors> parse_config(std::string_view text, const std::string& path,
                                          std::uint64_t memory_bytes = 0);
// The same but for [rules], [sets], [sysctl] and [replay], which name files: for whoever has from
// elsewhere what they say.
Result<Config, ConfigErrors> parse_config_without_files(std::string_view text,
                                                        const std::string& path,
                                                        std::uint64_t memory_bytes = 0);

// One a line; of very many only the first, and how many there are besides.
inline constexpr std::size_t kMostShown = 100;
std::string in_lines(const ConfigErrors& errors);
std::string warnings_in_lines(const ConfigErrors& warnings);
void log_warnings(const ConfigErrors& warnings, Instant now, LogSink& log);

}  // namespace nsr::router
