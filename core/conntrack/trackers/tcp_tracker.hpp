// TcpTracker: one segment of one connection. The way of it is in tcp.cpp, what ends a connection in
// tcp_reset.cpp; only they include this.
#pragma once

#include "core/conntrack/trackers/protocol.hpp"
#include "core/conntrack/trackers/tcp_segment.hpp"
#include "core/conntrack/trackers/tcp_table.hpp"
#include "core/conntrack/trackers/tcp_window.hpp"

namespace nsr::conntrack {

// What is to be done with a segment after the table and its special cases.
enum class TcpPath : std::uint8_t {
    CheckWindow,
    SkipWindow,  // believed without looking at its numbers
    Pass,        // let through, nothing learned
    Invalid,
    Reopen,
};

class TcpTracker {
  public:
    TcpTracker(Flow& flow, const TcpSegment& segment)
        : flow_(flow),
          tcp_(flow.record.state.tcp),
          segment_(segment),
          direction_(flow.direction()),
          sender_(index_of(direction_)),
          receiver_(index_of(opposite(direction_))) {}

    TrackerVerdict judge();

  private:
    bool begin();
    TcpPath classify();
    [[nodiscard]] bool reopens() const;
    TcpPath out_of_step();
    [[nodiscard]] bool answers_ignored_syn() const;
    void resynchronise();
    void remember_ignored();
    TcpPath reset();
    [[nodiscard]] bool closing() const;
    [[nodiscard]] bool established() const;
    bool reset_is_exact(std::uint32_t expected) const;
    [[nodiscard]] bool resets_ignored_segment() const;
    TcpPath window();
    void log_window(const WindowCheck& check) const;
    void hasten_end();
    TrackerVerdict commit();
    [[nodiscard]] std::uint32_t timeout() const;
    [[nodiscard]] std::uint32_t timeout_of(TcpStep state) const;
    [[nodiscard]] const char* old_name() const { return tcp_state_name(old_).data(); }
    void log(const char* why) const { flow_.log.write(flow_.packet, proto::kTcp, "%s", why); }
    [[nodiscard]] bool last_was(TcpKind kind) const {
        return static_cast<TcpKind>(tcp_.last_index) == kind;
    }

    Flow& flow_;
    TcpState& tcp_;
    const TcpSegment& segment_;
    const Direction direction_;
    const std::size_t sender_;
    const std::size_t receiver_;
    TcpConntrack old_ = TcpConntrack::None;
    TcpStep next_ = TcpStep::None;
};

}  // namespace nsr::conntrack
