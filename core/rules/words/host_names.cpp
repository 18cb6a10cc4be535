#include "core/rules/words/host_names.hpp"

#include "core/base/words.hpp"

namespace nsr::rules {

namespace {

// The words of a line, without its comment.
std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> words;
    if (auto split = split_words(line.substr(0, line.find('#')), Quoting::Restore)) {
        for (Word& word : *split) {
            words.push_back(std::move(word.text));
        }
    }
    return words;
}

}  // namespace

void HostNames::add_hosts(std::string_view text) {
    for (const std::string_view line : split(text, '\n')) {
        const auto words = words_of(line);
        const auto address = words.empty() ? std::nullopt : parse_address(words[0]);
        for (std::size_t i = 1; address && i < words.size(); ++i) {
            hosts_.emplace(lower(words[i]), *address);
        }
    }
}

void HostNames::add_networks(std::string_view text) {
    for (const std::string_view line : split(text, '\n')) {
        const auto words = words_of(line);
        const auto address = words.size() < 2 ? std::nullopt : parse_address(words[1]);
        if (address && address->is_v4()) {
            networks_.emplace(words[0], *address);
        }
    }
}

std::vector<IpAddress> HostNames::hosts(std::string_view name, Family family) const {
    std::vector<IpAddress> found;
    const auto [first, last] = hosts_.equal_range(lower(name));
    for (auto at = first; at != last; ++at) {
        if (at->second.family == family) {
            found.push_back(at->second);
        }
    }
    return found;
}

std::optional<IpAddress> HostNames::network(std::string_view name) const {
    const auto found = networks_.find(std::string(name));
    return found == networks_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace nsr::rules
