// A connection that was written down; saved_table.hpp reads them.
#pragma once

#include <cstdint>
#include <string>

#include "core/conntrack/record/change.hpp"

namespace nsr::router {

struct SavedConnection {
    conntrack::NewConnection connection;  // its reply is as it was, translated or not
    std::string without;                  // "helper=ftp": what of the line is not taken over
    std::uint32_t line = 0;
};

}  // namespace nsr::router
