// Sets that are spoken to in the words of ipset(8).
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/base/words.hpp"
#include "router/tools/ipset/command.hpp"

namespace nsr {

inline router::IpsetAnswer tell(sets::Sets& sets, const std::string& command,
                                Instant now = Instant{}, const sets::References& references = {}) {
    const auto split = split_words(command, Quoting::Shell);
    REQUIRE(split);
    std::vector<std::string> words;
    for (const Word& word : *split) {
        words.push_back(word.text);
    }
    const auto args = router::parse_ipset_args(words);
    if (!args) {
        return {{}, router::to_string(args.error()), args.error().exit_code};
    }
    return router::run_ipset(*args, {sets, [&] { return references; }, now});
}

}  // namespace nsr
