// The files that a replay writes.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "router/capture/pcapng.hpp"
#include "router/commands/sink.hpp"
#include "router/replay/replay.hpp"

namespace nsr::router {

struct ReplayFileNames {
    std::string packets;
    std::string connections;
    std::string stats;
    std::string events;
};

struct ReplayFiles {
    explicit ReplayFiles(const ReplayFileNames& names);
    [[nodiscard]] std::string begin();  // begin_all()
    [[nodiscard]] std::string keep();   // keep_all()

    Sink packets;
    Sink connections;
    Sink stats;
    Sink events;
};

class ReplayFileOutput : public ReplayOutput {
  public:
    // `files` must outlive it.
    ReplayFileOutput(ReplayFiles& files, const std::vector<std::string>& interfaces);
    void packet(std::int64_t time_ns, std::uint32_t interface, const Packet& packet,
                std::string_view comment) override;
    void connections(std::string_view text) override;
    void event(std::string_view line) override;
    void trace(std::string_view line) override;
    [[nodiscard]] bool good() const override { return !writer_ || writer_->good(); }

  private:
    std::optional<PcapngWriter> writer_;
    std::ostream* connections_;
    std::ostream* events_;
};

}  // namespace nsr::router
