// A firewall of connection tracking alone: packets come in, are tracked and, unless they are
// INVALID, confirmed.
#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "core/conntrack/conntrack.hpp"
#include "core/packet/dissect.hpp"
#include "tests/support/log_lines.hpp"
#include "tests/support/packet_builder.hpp"
#include "tests/support/trace.hpp"

namespace nsr::test {

struct Firewall {
    BufferPool pool;
    LogLines log;
    conntrack::Conntrack conntrack;
    Instant now{std::chrono::seconds(1000)};

    explicit Firewall(const conntrack::Settings& settings = {})
        : conntrack(settings, {{1, 2}, log, nullptr}) {
        conntrack.set_active(Family::Ipv4, true, now);
        conntrack.set_active(Family::Ipv6, true, now);
        log.lines.clear();
    }

    template <class Change>
    void configure(Change change) {
        conntrack::Settings settings = conntrack.settings();
        change(settings);
        conntrack.set_settings(settings);
    }

    // PREROUTING only: what tracking makes of it.
    Packet enter(const PacketBuilder& builder) {
        Packet packet = builder.packet(pool);
        REQUIRE(dissect(packet).accepted());
        REQUIRE(conntrack.track(packet, now).accepted());
        return packet;
    }

    // All the way through; INVALID packets are dropped.
    CtInfo pass(const PacketBuilder& builder) {
        Packet packet = enter(builder);
        const CtInfo info = packet.meta.ct_info;
        if (info == CtInfo::Invalid) {
            conntrack.release(packet);
        } else {
            CHECK(conntrack.confirm(packet, now).accepted());
        }
        return info;
    }

    void wait(Duration time) {
        now += time;
        while (!conntrack.expire(now)) {
        }
    }

    // A connection of TCP, segment by segment; see trace.hpp.
    void play(std::string_view trace, const char* file = __builtin_FILE(),
              int line = __builtin_LINE()) {
        Segments segments(*this);
        if (const std::string wrong = test::play(segments, trace); !wrong.empty()) {
            ADD_FAIL_CHECK_AT(file, line, wrong);
        }
    }

    [[nodiscard]] std::optional<ConnId> only() const {
        const auto first = conntrack.table().next(std::nullopt);
        return first && !conntrack.table().next(first) ? first : std::nullopt;
    }
    // The state of the only connection.
    [[nodiscard]] const conntrack::Connection& entry() const {
        REQUIRE(only());
        return conntrack.table()[*only()];
    }
    [[nodiscard]] std::string state() const {
        return only() ? std::string(conntrack::state_name(entry())) : "none";
    }
    // Seconds left of the only connection, rounded to the nearest.
    [[nodiscard]] int seconds() const {
        return (jiffies_until(entry().deadline, to_jiffies(now)) + 125) / 250;
    }
    [[nodiscard]] bool assured() const { return entry().has(conntrack::status::kAssured); }
    [[nodiscard]] bool replied() const { return entry().has(conntrack::status::kSeenReply); }

  private:
    struct Segments final : TraceWorld {
        explicit Segments(Firewall& firewall) : wall(firewall) {}
        CtInfo segment(bool, const PacketBuilder& packet) override { return wall.pass(packet); }
        void wait(Duration time) override { wall.wait(time); }
        [[nodiscard]] const conntrack::Conntrack& tracking() const override {
            return wall.conntrack;
        }
        [[nodiscard]] Instant now() const override { return wall.now; }
        Firewall& wall;
    };
};

}  // namespace nsr::test
