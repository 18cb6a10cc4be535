// TCP options (RFC 9293 3.1): single bytes (End, No-Operation), or kind, length and value.
//
//   +--------+--------+------------+
//   |  Kind  | Length | Value ...  |   Length counts all three
//   +--------+--------+------------+
//
// The kernel reads them in two ways. Connection tracking and TCP itself stop at End and at whatever
// is malformed. The matches and targets of xtables take End for padding and a length of 0 for 1,
// and go on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/wire/bytes.hpp"
#include "core/wire/tcp.hpp"

namespace nsr::wire {

struct TcpOption {
    std::uint8_t kind = 0;
    std::size_t offset = 0;  // in the options
    std::size_t length = 1;  // all of it; Tolerant: it may lie beyond the end
};

enum class TcpOptionReading : std::uint8_t {
    Strict,    // kernel: tcp_options, tcp_sack of nf_conntrack_proto_tcp.c
    Tolerant,  // kernel: tcp_find_option, tcpmss_mt, optlen of xt_TCPMSS.c and xt_TCPOPTSTRIP.c
};

class TcpOptionWalk {
  public:
    TcpOptionWalk(ConstBytes options, TcpOptionReading reading)
        : options_(options), strict_(reading == TcpOptionReading::Strict) {}

    // The next option, No-Operations included. Nothing: that was all.
    std::optional<TcpOption> next() {
        if (at_ >= options_.size() || (strict_ && options_[at_] == tcp::kOptionEnd)) {
            return std::nullopt;
        }
        const TcpOption option{options_[at_], at_, length()};
        if (strict_ && (option.length == 0 || option.length > options_.size() - at_)) {
            return std::nullopt;
        }
        at_ += option.length;
        return option;
    }

  private:
    // 0: malformed.
    [[nodiscard]] std::size_t length() const {
        if (options_[at_] <= tcp::kOptionNop) {
            return 1;
        }
        const std::size_t said = at_ + 1 < options_.size() ? options_[at_ + 1] : 0;
        if (strict_) {
            return said < 2 ? 0 : said;
        }
        return said == 0 ? 1 : said;
    }

    ConstBytes options_;
    std::size_t at_ = 0;
    bool strict_;
};

}  // namespace nsr::wire
