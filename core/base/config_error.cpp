#include "core/base/config_error.hpp"

#include "core/base/printable.hpp"

namespace nsr {

std::string to_string(const ConfigError& error) {
    std::string text = printable(error.where.file);
    if (error.where.line != 0) {
        text += ':' + std::to_string(error.where.line);
        if (error.where.column != 0) {
            text += ':' + std::to_string(error.where.column);
        }
    }
    return text + ": " + printable_message(error.message);
}

}  // namespace nsr
