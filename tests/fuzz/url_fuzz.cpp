// Any text as a request target and, line by line, as Host, Origin and token: refused, or a path
// that means the same when it is written down again.
#include <cstdint>
#include <string>

#include "core/base/check.hpp"
#include "router/http/client.hpp"
#include "router/http/guard.hpp"
#include "tests/fuzz/support/input.hpp"

using nsr::router::percent_encode;
namespace http = nsr::router::http;

namespace {

std::string written(const http::Request& request) {
    std::string target = percent_encode(request.path);
    char separator = '?';
    for (const auto& [name, value] : request.query) {
        target += separator + percent_encode(name) + "=" + percent_encode(value);
        separator = '&';
    }
    return target;
}

void check_guard(nsr::fuzz::Input& in, std::string_view authority) {
    const std::string host = in.line();
    const std::string origin = in.line();
    const std::string authorization = in.line();
    const http::Guard open{true, "192.0.2.1", {}};
    const http::Guard closed{true, "192.0.2.1", "secret"};
    const http::Guard::Headers headers{authority.empty() ? host : authority, origin, "192.0.2.9"};
    const auto refusal = open.check(headers);
    NSR_CHECK((refusal.status == 0) == refusal.reason.empty());
    NSR_CHECK(closed.check(headers).status == refusal.status);
    nsr::router::Caller nobody;
    const auto unknown = closed.identify(authorization, nobody);
    NSR_CHECK((unknown.status == 0) == nobody.owner);
    if (nobody.owner) {
        NSR_CHECK(authorization.find("secret") != std::string::npos);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    nsr::fuzz::Input in(data, size);
    const std::string target = in.line();
    check_guard(in, http::authority_of(target));
    http::Request request;
    if (!http::parse_target(target, request)) {
        return 0;
    }
    NSR_CHECK(request.path.starts_with('/'));
    NSR_CHECK(request.path.find('\0') == std::string::npos);
    http::Request again;
    NSR_CHECK(http::parse_target(written(request), again));
    NSR_CHECK(again.path == request.path && again.query == request.query);
    return 0;
}
