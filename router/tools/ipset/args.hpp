// The words of ipset(8), sorted: command, global options, arguments.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "router/tools/ipset/problem.hpp"

namespace nsr::router {

enum class IpsetCommand : std::uint8_t {
    Create,
    Add,
    Del,
    Test,
    Destroy,
    List,
    Save,
    Restore,
    Flush,
    Rename,
    Swap,
    Help,
    Version,
    Quit
};

enum class IpsetOutput : std::uint8_t { Default, Plain, Save, Xml, Json };

struct IpsetArgs {
    IpsetCommand command = IpsetCommand::Help;
    bool exist = false;   // -!
    bool quiet = false;   // -q
    bool sorted = false;  // -s
    bool terse = false;   // -t
    bool names = false;   // -n
    IpsetOutput output = IpsetOutput::Default;
    std::optional<std::string> file;  // -f
    std::optional<std::string> set;   // absent: all sets
    std::string second;               // the type, the element or the other name
    std::vector<std::string> options;

    // Changes nothing.
    [[nodiscard]] bool only_shows() const;
};

// `words` without the name of the program.
Result<IpsetArgs, IpsetProblem> parse_ipset_args(const std::vector<std::string>& words);

// A line of the text of `restore`. Nothing: there is nothing to do in it.
Result<std::optional<IpsetArgs>, IpsetProblem> parse_ipset_line(std::string_view line);

}  // namespace nsr::router
