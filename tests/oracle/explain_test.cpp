// Explaining a recorded packet, in a copy of the router that has seen all packets before it, leaves
// that router as it was, byte for byte.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/procfs/nf_conntrack.hpp"
#include "core/rules/save.hpp"
#include "router/capture/capture.hpp"
#include "router/config/build.hpp"
#include "router/config/load.hpp"
#include "router/explain/explain.hpp"
#include "router/replay/replay.hpp"
#include "router/replay/stats.hpp"
#include "tests/support/kept_frames.hpp"

using namespace nsr;
using namespace nsr::router;

namespace {

constexpr std::size_t kExplainedPerCase = 3;
constexpr std::size_t kEveryCase = 8;  // of all cases

std::string state_of(const Router& router, Instant now) {
    const std::vector<std::string> tables = {"raw", "mangle", "nat", "filter", "security"};
    std::string text = procfs::conntrack_snapshot(router.conntrack(), now);
    text += stats_text(router, tables, tables);
    for (const DropReasonRow& row : kDropReasons) {
        text += std::to_string(router.drops().of(row.reason)) + " ";
    }
    return text + std::to_string(router.recorder().made()) + " " +
           std::to_string(router.drop_places().rows().size());
}

// 0: it was told.
int explain_in_child(Router& router, const test::KeptFrame& frame, Instant now) {
    const pid_t child = ::fork();
    if (child == 0) {
        procfs::Context context{router};
        ExplainRequest request;
        request.packets.emplace_back(PacketBytes{frame.interface, frame.bytes});
        request.reply = true;
        const ExplainAnswer told = explain(context, request, {}, now);
        ::_exit(told.refused || told.text.empty() ? 1 : 0);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return status;
}

std::vector<test::KeptFrame> frames_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return test::kept_frames(*capture_from(file));
}

// How many packets were explained.
std::size_t check_folder(const std::filesystem::path& folder) {
    const auto config = load_config((folder / "router.toml").string(), kReplayMemoryBytes);
    REQUIRE(config.ok());
    auto options = router_options(*config, kReplayMemoryBytes);
    REQUIRE(options.ok());
    BufferPool pool;
    Router router(std::move(*options));
    Instant now{};
    static_cast<void>(fill_router(router, *config, now));
    const std::vector<test::KeptFrame> frames = frames_of((folder / "in.pcapng").string());
    const std::size_t step = std::max<std::size_t>(1, frames.size() / kExplainedPerCase);
    std::size_t explained = 0;
    EgressQueue out;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const routing::Interface* in = router.interfaces().find(frames[i].interface);
        if (in == nullptr) {
            continue;
        }
        now = std::max(now, Instant(Duration(frames[i].time_ns % 1'000'000'000'000)));
        if (i % step == step - 1) {
            const std::string before = state_of(router, now);
            CHECK(explain_in_child(router, frames[i], now) == 0);
            CHECK(state_of(router, now) == before);
            ++explained;
        }
        Packet packet(pool, frames[i].bytes);
        packet.meta.in = in->index;
        router.receive({&packet, 1}, now, out);
        out.clear();
    }
    return explained;
}

}  // namespace

TEST_CASE("explaining recorded packets leaves the router as it was") {
    std::vector<std::filesystem::path> folders;
    for (const auto& entry : std::filesystem::directory_iterator(CONFORMANCE_CASES)) {
        folders.push_back(entry.path());
    }
    std::sort(folders.begin(), folders.end());
    std::size_t explained = 0;
    for (std::size_t i = 0; i < folders.size(); i += kEveryCase) {
        CAPTURE(folders[i].string());
        explained += check_folder(folders[i]);
    }
    CHECK(explained > 200);
}
