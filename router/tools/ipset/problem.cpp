#include "router/tools/ipset/problem.hpp"

namespace nsr::router {

namespace {

constexpr std::string_view kHint = "Try `ipset help' for more information.\n";

}  // namespace

std::string to_string(const IpsetProblem& problem) {
    const std::string text = std::string(kIpsetName) + ": " + problem.text + "\n";
    return problem.exit_code == 2 ? text + std::string(kHint) : text;
}

std::string to_string(const IpsetProblem& problem, std::size_t line) {
    const std::string text = std::string(kIpsetName) + ": Error in line " + std::to_string(line) +
                             ": " + problem.text + "\n";
    return problem.exit_code == 2 ? text + std::string(kHint) : text;
}

}  // namespace nsr::router
