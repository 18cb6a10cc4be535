// Any text as what `ipset restore` reads: whatever it did, what is saved then can be restored, and
// is the same.
#include <cstdint>
#include <string>

#include "core/base/check.hpp"
#include "router/tools/ipset/command.hpp"

namespace {

using namespace nsr;
using namespace nsr::router;

constexpr Instant kNow{std::chrono::seconds(100)};

// At most so many elements, however many a range stands for.
std::string run(IpsetCommand command, sets::Sets& sets, std::string input, bool must_succeed) {
    constexpr std::size_t kSteps = 500;
    constexpr unsigned kTurns = 20;
    IpsetPass pass({.command = command, .exist = !must_succeed}, std::move(input));
    const IpsetContext context{sets, [] { return sets::References(); }, kNow};
    std::string out;
    bool more = true;
    for (unsigned turn = 0; more && (must_succeed || turn < kTurns); ++turn) {
        more = pass.advance(context, kSteps, out);
    }
    NSR_CHECK(!must_succeed || (pass.errors().empty() && pass.exit_code() == 0));
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sets::Sets sets(1, 2);
    // A line that fails ends a text; each is one here, so that more of them count.
    std::string text(data, data + size);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        run(IpsetCommand::Restore, sets, text.substr(at, end - at), false);
        at = end + 1;
    }
    const std::string saved = run(IpsetCommand::Save, sets, {}, true);
    sets::Sets again(3, 4);
    run(IpsetCommand::Restore, again, saved, true);
    NSR_CHECK(run(IpsetCommand::Save, again, {}, true) == saved);
    return 0;
}
