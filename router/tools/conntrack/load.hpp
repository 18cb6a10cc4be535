// ConntrackLoad: connections made of lines of a file, as `conntrack -R` has them.
//
// The lines are read beside the packets; the connections are made on the loop, a few at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/instant.hpp"
#include "core/base/result.hpp"
#include "core/pipeline/router.hpp"
#include "router/tools/conntrack/args.hpp"

namespace nsr::router {

// A line of nothing but blanks, or a comment.
bool says_nothing(std::string_view line);

class ConntrackLoad {
  public:
    // Can `args` be a line of it? Others go one by one.
    static bool takes(const ConntrackArgs& args);
    // -I and -A of connections, one a line, quoted as for a shell. Of what is wrong a sentence,
    // with the number of its line.
    static Result<ConntrackLoad, std::string> parse(std::string_view text);

    // Makes a few. False: all are made, or one cannot be, which ends it.
    bool advance(Router& router, Instant now);
    // Why it ended early, as the tool says it; empty: it did not.
    [[nodiscard]] const std::string& error() const { return error_; }
    // Of which line that is, from 1 on. Precondition: it did.
    [[nodiscard]] std::size_t error_line() const { return lines_[made_].number; }

  private:
    struct Line {
        std::size_t number;
        ConntrackArgs args;
    };

    explicit ConntrackLoad(std::vector<Line> lines) : lines_(std::move(lines)) {}

    std::vector<Line> lines_;
    std::size_t made_ = 0;
    std::string error_;
};

}  // namespace nsr::router
