// A line about a connection: its words, its lifetime, its ports.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "tests/oracle/port_renaming.hpp"

namespace oracle {

using Words = std::vector<std::string>;

struct Line {
    std::string text;  // without its lifetime
    std::optional<long> lifetime;
    friend auto operator<=>(const Line&, const Line&) = default;
};

Words words_of(const std::string& line);
std::string joined(const Words& words);
bool is_number(const std::string& word);
std::string in_brackets(const std::optional<long>& lifetime);

// The recorded ports in the place of those that packets showed to stand for them.
Line renamed(const Line& line, const PortRenaming& ports);
// The same for the words of a line whose protocol is known.
void rename_ports(Words& words, unsigned protocol, const PortRenaming& ports);

}  // namespace oracle
