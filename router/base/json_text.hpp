// A member of a JSON object that is text. Header only: router/base itself needs no JSON.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace nsr::router {

// Empty: there is none, or it is something else.
inline std::string text_in(const boost::json::object& object, std::string_view key) {
    const boost::json::value* value = object.if_contains(key);
    const boost::json::string* text = value != nullptr ? value->if_string() : nullptr;
    return text != nullptr ? std::string(*text) : std::string();
}

}  // namespace nsr::router
