// What a request to the control port says in its query and its body.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "router/http/http.hpp"

namespace nsr::router {

// Empty if the query has no such parameter.
std::string value_of(const http::Request& request, const std::string& key);
// By a header, or by the end of the path.
bool wants_json(const http::Request& request);
// The refusal of a parameter that is none of these: what is not known must not look as if it had
// been done.
std::optional<http::Response> unknown_parameters(const http::Request& request,
                                                 const std::vector<std::string_view>& known);
// The refusal of a value that is none of these; the parameter may be absent.
std::optional<http::Response> not_one_of(const http::Request& request, const std::string& key,
                                         std::initializer_list<std::string_view> known);
// The number that a parameter is; `otherwise` if it is absent. The refusal of anything that is not
// a number from 0 to `most`.
Result<std::uint64_t, http::Response> number_in(const http::Request& request,
                                                const std::string& key, std::uint64_t otherwise,
                                                std::uint64_t most);
// The refusal of a caller who may not read (GET) or write (everything else) what has this mode.
std::optional<http::Response> not_allowed(const http::Request& request, unsigned mode);
// The words of a command, one a line.
std::vector<std::string> words_in(const std::string& body);

}  // namespace nsr::router
