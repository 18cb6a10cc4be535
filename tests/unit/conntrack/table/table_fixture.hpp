// Short words for tests of the connection table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "core/conntrack/table/table.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::conntrack::testing {

inline constexpr SipKey kKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};
inline constexpr Jiffies kSecond = kJiffiesPerSecond;

inline IpAddress inside(std::uint8_t host) {
    return IpAddress::v4(10, 0, 0, host);
}
inline IpAddress outside(std::uint8_t host) {
    return IpAddress::v4(198, 51, 100, host);
}

struct End {
    IpAddress address;
    std::uint16_t port;
};

inline Tuple between(std::uint8_t protocol, End source, End destination) {
    return {source.address, destination.address, source.port, destination.port, protocol};
}
inline Tuple udp(End source, End destination) {
    return between(proto::kUdp, source, destination);
}
inline Tuple tcp(End source, End destination) {
    return between(proto::kTcp, source, destination);
}
inline Tuple echo(IpAddress source, IpAddress destination, std::uint16_t identifier,
                  std::uint8_t type = 8) {
    return {source, destination, identifier, static_cast<std::uint16_t>(type << 8), proto::kIcmp};
}
inline Tuple reversed(const Tuple& tuple) {
    Tuple answer = tuple;
    std::swap(answer.source, answer.destination);
    if (tuple.protocol == proto::kIcmp) {
        answer.destination_port = tuple.destination_port == 0x0800 ? 0x0000 : 0x0800;
    } else {
        std::swap(answer.source_port, answer.destination_port);
    }
    return answer;
}

struct Wanted {
    Tuple original;
    Tuple reply;
    Jiffies deadline = 30 * kSecond;
    Zone zone = 0;
    bool zone_original = true;
    bool zone_reply = true;
};

// An unconfirmed record.
inline ConnId prepare(Table& table, const Wanted& wanted) {
    const ConnId id = table.allocate().value();
    table.set_tuple(id, Direction::Original, wanted.original);
    table.set_tuple(id, Direction::Reply, wanted.reply);
    table[id].deadline = wanted.deadline;
    table[id].zone = wanted.zone;
    if (!wanted.zone_original || !wanted.zone_reply) {
        Extra* extra = table.need_extra(id);
        extra->zone_original = wanted.zone_original;
        extra->zone_reply = wanted.zone_reply;
    }
    return id;
}

inline ConnId add(Table& table, const Wanted& wanted, Jiffies now = 0) {
    const ConnId id = prepare(table, wanted);
    if (!table.insert(id, now)) {
        table.erase(id);
        return ConnId::None;
    }
    return id;
}

inline ConnId add(Table& table, const Tuple& original, Jiffies deadline = 30 * kSecond,
                  Jiffies now = 0) {
    return add(table, Wanted{original, reversed(original), deadline}, now);
}

// What a mapped file is: blocks that outlive the Table that wrote them.
struct File {
    std::vector<std::vector<std::unique_ptr<std::byte[]>>> arenas{4};
    std::size_t most_blocks = 64;

    // As another process would find it after this one was killed right now.
    [[nodiscard]] std::shared_ptr<File> copy() const {
        auto other = std::make_shared<File>();
        for (std::size_t arena = 0; arena < arenas.size(); ++arena) {
            for (const auto& block : arenas[arena]) {
                auto twin = std::make_unique<std::byte[]>(kBytes + kAlign);
                std::memcpy(aligned(twin.get()), aligned(block.get()), kBytes);
                other->arenas[arena].push_back(std::move(twin));
            }
        }
        return other;
    }
    static std::byte* aligned(std::byte* block) {
        void* start = block;
        std::size_t room = kBytes + kAlign;
        return static_cast<std::byte*>(std::align(kAlign, kBytes, start, room));
    }

    static constexpr std::size_t kBytes = std::size_t{2} << 20;
    static constexpr std::size_t kAlign = 4096;
};

class FileMemory final : public Memory {
  public:
    explicit FileMemory(std::shared_ptr<File> file) : file_(std::move(file)) {
        for (const auto& arena : file_->arenas) {
            held_.push_back(arena.size());
        }
    }
    void* block(unsigned arena, std::size_t index, std::size_t /*bytes*/) override {
        auto& blocks = file_->arenas.at(arena);
        if (index >= file_->most_blocks) {
            return nullptr;
        }
        if (index == blocks.size()) {
            blocks.push_back(std::make_unique<std::byte[]>(File::kBytes + File::kAlign));
        }
        return File::aligned(blocks.at(index).get());
    }
    [[nodiscard]] std::size_t blocks_held(unsigned arena) const override { return held_.at(arena); }

  private:
    std::shared_ptr<File> file_;
    std::vector<std::size_t> held_;
};

}  // namespace nsr::conntrack::testing
