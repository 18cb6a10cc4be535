#include "core/base/config_error.hpp"

#include "core/base/printable.hpp"

namespace nsr {

std::string to_string(const SourceLocation& where) {
    std::string text = printable(where.file);
    if (where.line != 0) {
        text += ':' + std::to_string(where.line);
        if (where.column != 0) {
            text += ':' + std::to_string(where.column);
        }
    }
    return text;
}

std::string to_string(const ConfigError& error) {
    return to_string(error.where) + ": " + printable_message(error.message);
}

std::string warning_text(const ConfigError& warning) {
    return to_string(warning.where) + ": warning: " + printable_message(warning.message);
}

}  // namespace nsr
