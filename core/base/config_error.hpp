// What is wrong in a text that a person wrote, and where: `file:line:column: message`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nsr {

struct SourceLocation {
    std::string file;
    std::uint32_t line = 0;    // 1-based; 0: the file as a whole
    std::uint32_t column = 0;  // 1-based; 0: the line as a whole

    friend bool operator==(const SourceLocation&, const SourceLocation&) = default;
};

struct ConfigError {
    SourceLocation where;
    std::string message;     // what is wrong, with the offending word, and what would be accepted
    bool by_kernel = false;  // of a rule: iptables takes its words, and the kernel refuses it
};

using ConfigErrors = std::vector<ConfigError>;

// "rules.v4:12:5"; fit for a terminal.
std::string to_string(const SourceLocation& where);
// "rules.v4:12:5: message"; line and column left out when 0. Fit for a terminal, whatever the file
// holds.
std::string to_string(const ConfigError& error);
// "rules.v4:12: warning: message", where nothing has to change.
std::string warning_text(const ConfigError& warning);

}  // namespace nsr
