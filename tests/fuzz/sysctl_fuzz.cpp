// Any text as a sysctl.conf, set line by line on a live router. What is accepted reads back as
// something that is accepted again and changes nothing, and packets still get through or are
// dropped for a reason.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "core/base/check.hpp"
#include "core/procfs/sysctl.hpp"
#include "router/config/sysctl_file.hpp"
#include "tests/fuzz/support/router.hpp"
#include "tests/support/packet_builder.hpp"

namespace {

using namespace nsr;

constexpr Instant kNow{std::chrono::seconds(1000)};
constexpr std::uint64_t kMemory = std::uint64_t{64} << 20;

void send_some(Router& router) {
    static BufferPool pool;
    for (const test::PacketBuilder& builder :
         {test::tcp("10.0.0.2:1000", "198.51.100.7:80").syn(),
          test::udp("10.0.0.2:1000", "198.51.100.7:80").payload(3000).fragment(0, true, 1480),
          test::udp("[fd00:1::2]:1000", "[2001:db8:7::7]:53"),
          test::ping("10.0.0.2", "198.51.100.7").ttl(1)}) {
        EgressQueue out;
        Packet packet = builder.packet(pool);
        packet.meta.in = fuzz::kLan;
        router.receive({&packet, 1}, kNow, out);
        router.expire(kNow + std::chrono::hours(1), out);
    }
}

// A value that is shown can be written back.
void check_readback(procfs::Context& context, const std::string& name) {
    const auto shown = procfs::read_sysctl(context, name);
    NSR_CHECK(shown.ok());
    NSR_CHECK(procfs::write_sysctl(context, name, *shown).ok());
    const auto again = procfs::read_sysctl(context, name);
    NSR_CHECK(again.ok() && *again == *shown);
}

void set(procfs::Context& context, const router::SysctlLine& line) {
    const auto sysctl = procfs::find_sysctl(line.name, {"lan", "wan"});
    const bool legal = sysctl && procfs::check_sysctl(*sysctl, line.value).ok();
    const bool done = procfs::write_sysctl(context, line.name, line.value).ok();
    // A text of no bytes changes nothing, and is no number either.
    NSR_CHECK(legal || !done || line.value.empty());
    if (done) {
        check_readback(context, line.name);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const router::SysctlFile file =
        router::parse_sysctl_file(std::string(data, data + size), "fuzz.conf");
    for (const ConfigError& error : file.errors) {
        NSR_CHECK(!error.message.empty() && error.where.line > 0);
    }
    const std::unique_ptr<Router> router = fuzz::make_router({});
    procfs::Context context{*router, procfs::LineFormat::Kernel, {}, kMemory};
    for (const router::SysctlLine& line : file.lines) {
        NSR_CHECK(!line.name.empty() && line.where.line > 0);
        set(context, line);
    }
    send_some(*router);
    return 0;
}
