// Options as words, each with its value: a walk over them with a table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "router/tools/ipset/problem.hpp"

namespace nsr::router {

// The first problem stays.
class OptionWords {
  public:
    explicit OptionWords(const std::vector<std::string>& words) : words_(words) {}

    [[nodiscard]] bool at_end() const { return at_ == words_.size() || failed(); }
    // The name of the next option, without the dashes that old files have.
    std::string_view name();
    // Its value; empty, and a problem, if there is none.
    std::string value();
    // A number in the range; 0, and a problem, if it is none.
    std::uint64_t number(std::uint64_t low, std::uint64_t high);
    void unknown();
    void fail(std::string text, int exit_code = 1);
    // Complains about what stands twice.
    void once(bool given);

    [[nodiscard]] bool failed() const { return !problem_.text.empty(); }
    [[nodiscard]] const IpsetProblem& problem() const { return problem_; }

  private:
    const std::vector<std::string>& words_;
    std::size_t at_ = 0;
    std::string_view word_;  // the option at work, as it is written
    std::string_view name_;
    IpsetProblem problem_;
};

}  // namespace nsr::router
