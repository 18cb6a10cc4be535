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

}  // namespace nsr
