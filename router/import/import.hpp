// A configuration, with its files, of what a Linux machine says of itself.
//
// Theory of operation
//   The machine is asked by a shell script (script.hpp); here are its answers, a folder of texts,
//   from which follow an nsrouter.toml, rules.v4, rules.v6, sets.ipset and conntrack.txt. What the
//   router cannot have is left out, in the words of the loader of configurations (draft.hpp), and
//   told with the file and line of the dump; in the files of rules and sets the lines stay, as
//   comments. Interfaces have the machine's names; addresses of lo are those of an interface
//   "loopback". What is left loads, and is for `explain --config`, `check` and `replay`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/config_error.hpp"
#include "core/base/result.hpp"

namespace nsr::router {

inline constexpr const char* kImportedConfig = "nsrouter.toml";
inline constexpr const char* kImportedTable = "conntrack.txt";

struct Imported {
    std::size_t interfaces = 0;
    std::size_t addresses = 0;
    std::size_t routes = 0;
    std::size_t routing_rules = 0;
    std::size_t rules = 0;
    std::size_t sets = 0;
    std::size_t sysctls = 0;
    std::size_t connections = 0;
    ConfigErrors left_out;  // by the dumps, which are named without their folder
    ConfigErrors notes;
};

// Reads the dumps in `from` and writes into the folder `into`, which must be there.
// `memory_bytes`: what the connection table may use. The errors are about dumps that say nothing
// that one could begin with. Throws SystemError if a file cannot be written.
Result<Imported, ConfigErrors> import_host(const std::string& from, const std::string& into,
                                           std::uint64_t memory_bytes);

}  // namespace nsr::router
