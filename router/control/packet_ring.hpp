// PacketRing: the newest packets that met -j NFLOG in groups somebody listens to; see sse.hpp.
// Bounded by the octets of the packets as well as by their number, since these differ in size.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "core/pipeline/router.hpp"
#include "router/http/sse.hpp"

namespace nsr::router {

class PacketRing final : public rules::PacketLog {
  public:
    struct Limits {
        std::size_t packets = 4096;
        std::size_t bytes = std::size_t{4} * 1024 * 1024;
    };
    struct Logged {
        Instant at{};
        std::uint16_t group = 0;
        Hook hook{};
        std::string in;  // names of interfaces; empty: none
        std::string out;
        Mark mark = 0;
        Family family = Family::None;
        std::uint32_t length = 0;  // of the whole packet
        std::string prefix;
        std::string bytes;  // as much of it as --nflog-size asks for
    };

    // Must die before `router`.
    explicit PacketRing(Router& router, Limits limits);
    explicit PacketRing(Router& router) : PacketRing(router, Limits{}) {}
    ~PacketRing();
    PacketRing(const PacketRing&) = delete;
    PacketRing& operator=(const PacketRing&) = delete;

    // A reader of a group comes and goes. What is kept goes with the last one of all groups.
    void join(std::uint16_t group);
    void leave(std::uint16_t group);

    [[nodiscard]] const Held& held() const { return held_; }
    // Precondition: it is held.
    [[nodiscard]] const Logged& operator[](std::uint64_t number) const {
        return packets_[static_cast<std::size_t>(number - held_.first)];
    }
    // on_packet is called with the next packet, once.
    void await_packet() { awaited_ = true; }
    std::function<void()> on_packet;

    void packet_logged(const rules::LoggedPacket& logged) override;

  private:
    Router& router_;
    Limits limits_;
    std::map<std::uint16_t, std::size_t> readers_;  // by group
    std::deque<Logged> packets_;
    std::size_t bytes_ = 0;
    Held held_;
    bool awaited_ = false;
};

// One reader's stream of a group.
class PacketStream {
  public:
    enum class Form : std::uint8_t { Json, Pcap };
    struct Wish {
        std::uint16_t group = 0;
        Form form = Form::Json;
        std::optional<std::uint64_t> last;  // see Place
    };
    // `ring` must outlive it. It joins with the first piece.
    PacketStream(PacketRing& ring, const Wish& wish)
        : ring_(ring), wish_(wish), place_(wish.last) {}
    ~PacketStream();
    PacketStream(const PacketStream&) = delete;
    PacketStream& operator=(const PacketStream&) = delete;

    http::Piece advance(std::string& out, std::size_t bytes);

  private:
    void append(std::string& out, const PacketRing::Logged& packet) const;

    PacketRing& ring_;
    Wish wish_;
    Place place_;
    bool joined_ = false;
};

}  // namespace nsr::router
