// The page that a browser gets at "/": dashboard.html, .css and .js of this folder, built in. It
// needs nothing from elsewhere and may load nothing from elsewhere; what it shows it asks of
// /status and /top.
#pragma once

#include <string_view>

namespace nsr::router {

std::string_view dashboard_html();
std::string_view dashboard_css();
std::string_view dashboard_js();

inline constexpr const char* kDashboardPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

}  // namespace nsr::router
