// Lines as requests to explain, and as filters, on a live router. What is refused has a reason;
// what is told ends with an outcome; a filter that is taken can be asked of what was told.
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/check.hpp"
#include "router/explain/explain.hpp"
#include "router/observe/filter.hpp"
#include "router/observe/why.hpp"
#include "tests/fuzz/support/input.hpp"
#include "tests/fuzz/support/router.hpp"

namespace {

using namespace nsr;

constexpr Instant kNow{std::chrono::seconds(1000)};

void ask(Router& router, const std::string& lines) {
    const auto request = router::parse_explain_request(lines);
    if (!request.ok()) {
        NSR_CHECK(!request.error().empty());
        return;
    }
    procfs::Context context{router};
    const router::ExplainAnswer told = router::explain(context, *request, {}, kNow);
    NSR_CHECK(!told.text.empty());
    NSR_CHECK(told.refused || told.text.find("\n  => ") != std::string::npos);
}

void choose(const Router& router, const std::string& text) {
    auto filter = router::Filter::parse(text);
    if (!filter.ok()) {
        NSR_CHECK(!filter.error().message.empty() && filter.error().column <= text.size() + 1);
        return;
    }
    router::Why why(router, {.filter = std::move(*filter), .last = 0}, kNow);
    std::string out;
    while (why.advance(out, 1000)) {
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input in(data, size);
    const std::unique_ptr<Router> router = fuzz::make_router({});
    std::string lines;
    for (int steps = 0; steps < 20 && !in.done(); ++steps) {
        const std::string line(in.line());
        if (line.starts_with("filter ")) {
            choose(*router, line.substr(7));
        } else if (line.empty()) {
            ask(*router, lines);
            lines.clear();
        } else {
            lines += line + "\n";
        }
    }
    ask(*router, lines);
    return 0;
}
