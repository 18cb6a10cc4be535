#include "core/base/config_error.hpp"

#include "core/base/printable.hpp"

namespace nsr {

namespace {

std::string place_text(const SourceLocation& where) {
    std::string text = printable(where.file);
    if (where.line != 0) {
        text += ':' + std::to_string(where.line);
        if (where.column != 0) {
            text += ':' + std::to_string(where.column);
        }
    }
    return text + ": ";
}

}  // namespace

std::string to_string(const ConfigError& error) {
    return place_text(error.where) + printable_message(error.message);
}

std::string warning_text(const ConfigError& warning) {
    return place_text(warning.where) + "warning: " + printable_message(warning.message);
}

}  // namespace nsr
