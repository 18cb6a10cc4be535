// Lines as conntrack(8) commands on a small live table. What is refused has a reason; what is
// listed is as much as was counted; what -o save prints is a command that we take.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/check.hpp"
#include "router/tools/conntrack/command.hpp"
#include "router/tools/conntrack/parse.hpp"
#include "tests/fuzz/support/connections.hpp"
#include "tests/fuzz/support/input.hpp"

namespace {

using namespace nsr;
using router::ConntrackCommand;

using fuzz::kLiveNow;

// What a listing shows: those whose time is not over. The others count until they are removed.
std::size_t shown_entries(const Router& router) {
    const conntrack::Table& table = router.conntrack().table();
    std::size_t count = 0;
    for (auto id = table.next(std::nullopt); id; id = table.next(id)) {
        count += jiffies_until(table[*id].deadline, to_jiffies(kLiveNow)) > 0 ? 1 : 0;
    }
    return count;
}

std::size_t lines_in(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

void check_saved(const std::string& text) {
    fuzz::Input lines(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    while (!lines.done()) {
        const std::string line = lines.line();
        const auto again = router::parse_conntrack_args(line);
        NSR_CHECK(again.ok() && again->command == ConntrackCommand::Add);
    }
}

void check_answer(const router::ConntrackArgs& args, const router::ConntrackAnswer& answer,
                  Router& router, std::size_t before) {
    if (!answer.error.empty()) {
        return;
    }
    if (args.command == ConntrackCommand::List &&
        args.table == router::ConntrackTable::Connections) {
        NSR_CHECK(answer.entries <= before);
        NSR_CHECK(args.output.xml || lines_in(answer.text) == answer.entries);
        if (args.output.save && !args.output.xml) {
            check_saved(answer.text);
        }
    }
    if (args.command == ConntrackCommand::Delete) {
        NSR_CHECK(router.conntrack().table().size() == before - answer.entries);
    }
    const bool all =
        args.table == router::ConntrackTable::Connections && !args.filter.family.has_value();
    if (args.command == ConntrackCommand::Flush && all) {
        NSR_CHECK(router.conntrack().table().size() == 0);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input in(data, size);
    const std::unique_ptr<Router> router = fuzz::live_router();
    for (int steps = 0; steps < 20 && !in.done(); ++steps) {
        const auto args = router::parse_conntrack_args(in.line());
        if (!args.ok()) {
            NSR_CHECK(!args.error().empty());
            continue;
        }
        const std::size_t before = router->conntrack().table().size();
        check_answer(*args, router::run_conntrack(*args, *router, kLiveNow), *router, before);
        std::string json;
        router::ConntrackPass pass({}, router::ConntrackPass::Form::Json);
        while (pass.advance(*router, json, 100, kLiveNow)) {
        }
        NSR_CHECK(json.starts_with('[') && pass.entries() == shown_entries(*router));
    }
    return 0;
}
