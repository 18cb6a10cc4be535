#include "router/tools/conntrack/load.hpp"

#include <algorithm>
#include <utility>

#include "core/base/words.hpp"
#include "router/tools/conntrack/make.hpp"
#include "router/tools/conntrack/parse.hpp"

namespace nsr::router {
namespace {

// Each touches memory that nobody may have touched yet.
constexpr std::size_t kMadePerTurn = 16;

std::string at_line(std::size_t number, const std::string& what) {
    return "line " + std::to_string(number) + ": " + what;
}

}  // namespace

bool says_nothing(std::string_view line) {
    const std::size_t begin = line.find_first_not_of(" \t\r");
    return begin == std::string_view::npos || line[begin] == '#';
}

bool ConntrackLoad::takes(const ConntrackArgs& args) {
    return args.table == ConntrackTable::Connections &&
           (args.command == ConntrackCommand::Create || args.command == ConntrackCommand::Add);
}

Result<ConntrackLoad, std::string> ConntrackLoad::parse(std::string_view text) {
    std::vector<Line> lines;
    std::size_t number = 0;
    for (const std::string_view line : split(text, '\n')) {
        ++number;
        if (says_nothing(line)) {
            continue;
        }
        auto args = parse_conntrack_args(line);
        if (!args) {
            return at_line(number, args.error());
        }
        if (!takes(*args)) {
            return at_line(number,
                           "-R takes lines of -I and -A of connections, not " + in_quotes(line));
        }
        lines.push_back({number, std::move(*args)});
    }
    return ConntrackLoad(std::move(lines));
}

bool ConntrackLoad::advance(Router& router, Instant now) {
    const std::size_t end = std::min(made_ + kMadePerTurn, lines_.size());
    while (made_ < end) {
        error_ = make_connection(lines_[made_].args, router, now).error;
        if (!error_.empty()) {
            return false;
        }
        ++made_;
    }
    return made_ < lines_.size();
}

}  // namespace nsr::router
