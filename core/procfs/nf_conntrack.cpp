#include "core/procfs/nf_conntrack.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "core/base/decimal.hpp"
#include "core/conntrack/tuple_text.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::procfs {

namespace {

using conntrack::Connection;
using conntrack::Conntrack;
using conntrack::Counter;
using conntrack::Extra;
using conntrack::StoredTuple;
using conntrack::Tuple;
namespace status = conntrack::status;

// The longest line (IPv6, counters at their maximum, zones, timestamps) has about 600 characters.
constexpr std::size_t kLineBytes = 1024;

constexpr std::string_view kHexDigits = "0123456789abcdef";

// Text into a line that is long enough for all of it; nothing here checks again.
class LineWriter {
  public:
    explicit LineWriter(char* begin) : at_(begin) {}

    [[nodiscard]] char* end() const { return at_; }

    void put(std::string_view text) {
        std::memcpy(at_, text.data(), text.size());
        at_ += text.size();
    }
    // Of a length that the compiler knows.
    template <std::size_t N>
    void put(const char (&text)[N]) {
        std::memcpy(at_, text, N - 1);
        at_ += N - 1;
    }
    // kernel: %-8s
    void put_column(std::string_view text) {
        constexpr std::size_t kColumnBytes = 8;
        std::memset(at_, ' ', kColumnBytes);
        std::memcpy(at_, text.data(), text.size());
        at_ += std::max(text.size(), kColumnBytes);
    }
    void put(std::uint64_t number) { at_ = write_decimal(at_, number); }
    void put_ports(std::uint8_t protocol, const StoredTuple& tuple) {
        at_ = conntrack::write_ports(at_, conntrack::ports_of(protocol), tuple.source_port,
                                     tuple.destination_port);
    }
    void put_ipv4(std::uint32_t address) {
        for (unsigned shift = 24; shift > 0; shift -= 8) {
            at_ = write_short_decimal(at_, address >> shift & 0xff);
            *at_++ = '.';
        }
        at_ = write_short_decimal(at_, address & 0xff);
    }
    // kernel: %pI6
    void put_ipv6(const IpAddress& address) {
        for (unsigned group = 0; group < 8; ++group) {
            const std::uint32_t word = address.words[group / 2] >> (group % 2 == 0 ? 16 : 0);
            for (unsigned shift = 16; shift > 0; shift -= 4) {
                *at_++ = kHexDigits[word >> (shift - 4) & 0xf];
            }
            *at_++ = ':';
        }
        --at_;
    }

  private:
    char* at_;
};

// One connection, the things about it that several parts of its line need.
struct Entry {
    const Conntrack& conntrack;
    ConnId id;
    const Connection& connection;
    const Extra* extra;  // null: none
};

void put_head(LineWriter& line, const Entry& entry, Instant now);
void put_direction(LineWriter& line, const Entry& entry, Direction direction);
void put_tail(LineWriter& line, const Entry& entry, Instant now, LineFormat format);

// kernel: ct_seq_show frees or skips what has run out
bool is_shown(const Connection& connection, Instant now) {
    return jiffies_until(connection.deadline, to_jiffies(now)) > 0;
}

std::string normalised(std::string_view line);

}  // namespace

void append_nf_conntrack_line(std::string& out, const Conntrack& conntrack, ConnId id, Instant now,
                              LineFormat format) {
    const Connection& connection = conntrack.table()[id];
    const Entry entry{
        conntrack, id, connection,
        connection.extra == conntrack::kNoSide ? nullptr : conntrack.table().extra(id)};
    std::array<char, kLineBytes> buffer;
    LineWriter line(buffer.data());
    put_head(line, entry, now);
    put_direction(line, entry, Direction::Original);
    if (!connection.has(status::kSeenReply)) {
        line.put("[UNREPLIED] ");
    }
    put_direction(line, entry, Direction::Reply);
    if (connection.has(status::kAssured)) {
        line.put("[ASSURED] ");
    }
    put_tail(line, entry, now, format);
    out.append(buffer.data(), static_cast<std::size_t>(line.end() - buffer.data()));
}

std::string conntrack_snapshot(const Conntrack& conntrack, Instant now) {
    std::vector<std::string> lines;
    const conntrack::Table& table = conntrack.table();
    std::string text;
    for (auto id = table.next(std::nullopt); id; id = table.next(id)) {
        if (is_shown(table[*id], now)) {
            text.clear();
            append_nf_conntrack_line(text, conntrack, *id, now, LineFormat::Kernel);
            lines.push_back(normalised(text));
        }
    }
    std::sort(lines.begin(), lines.end());
    text.clear();
    for (const std::string& line : lines) {
        text.append(line).append("\n");
    }
    return text;
}

namespace {

void put_head(LineWriter& line, const Entry& entry, Instant now) {
    const Connection& connection = entry.connection;
    if (connection.family == Family::Ipv4) {
        line.put("ipv4     2 ");
    } else {
        line.put("ipv6     10 ");
    }
    line.put_column(conntrack::protocol_name(connection.protocol));
    line.put(" ");
    line.put(std::uint64_t{connection.protocol});
    line.put(" ");
    const std::int32_t left = jiffies_until(connection.deadline, to_jiffies(now));
    line.put(std::uint64_t{static_cast<std::uint32_t>(std::max(left, 0)) / kJiffiesPerSecond});
    line.put(" ");
    if (connection.protocol == proto::kTcp || connection.protocol == proto::kSctp) {
        line.put(conntrack::state_name(connection));
        line.put(" ");
    } else if (connection.protocol == proto::kGre) {
        // kernel: gre_print_conntrack
        line.put("timeout=");
        line.put(std::uint64_t{connection.state.gre.timeout});
        line.put(", stream_timeout=");
        line.put(std::uint64_t{connection.state.gre.stream_timeout});
        line.put(" ");
    }
}

void put_addresses(LineWriter& line, const Entry& entry, Direction direction);

// kernel: print_tuple, ct_show_zone, seq_print_acct
void put_direction(LineWriter& line, const Entry& entry, Direction direction) {
    const Connection& connection = entry.connection;
    const bool original = direction == Direction::Original;
    put_addresses(line, entry, direction);
    line.put_ports(connection.protocol, original ? connection.original : connection.reply);
    const Extra* extra = entry.extra;
    if (extra == nullptr) {
        return;
    }
    if (original && extra->zone_original && !extra->zone_reply) {
        line.put("zone-orig=");
        line.put(std::uint64_t{connection.zone});
        line.put(" ");
    } else if (!original && extra->zone_reply && !extra->zone_original) {
        line.put("zone-reply=");
        line.put(std::uint64_t{connection.zone});
        line.put(" ");
    }
    if (extra->counting) {
        const Counter& counter = extra->counters[original ? 0 : 1];
        line.put("packets=");
        line.put(counter.packets);
        line.put(" bytes=");
        line.put(counter.bytes);
        line.put(" ");
    }
}

void put_addresses(LineWriter& line, const Entry& entry, Direction direction) {
    const Connection& connection = entry.connection;
    if (connection.family == Family::Ipv4) {
        const StoredTuple& tuple =
            direction == Direction::Original ? connection.original : connection.reply;
        line.put("src=");
        line.put_ipv4(tuple.source);
        line.put(" dst=");
        line.put_ipv4(tuple.destination);
    } else {
        const Tuple tuple = entry.conntrack.table().tuple(entry.id, direction);
        line.put("src=");
        line.put_ipv6(tuple.source);
        line.put(" dst=");
        line.put_ipv6(tuple.destination);
    }
    line.put(" ");
}

void put_tail(LineWriter& line, const Entry& entry, Instant now, LineFormat format) {
    const Connection& connection = entry.connection;
    const Extra* extra = entry.extra;
    line.put("mark=");
    line.put(std::uint64_t{connection.mark});
    line.put(" ");
    if (format == LineFormat::Article) {
        line.put("secmark=0 ");
    }
    const bool both = extra == nullptr || extra->zone_original == extra->zone_reply;
    if (both && (format == LineFormat::Kernel || connection.zone != 0)) {
        line.put("zone=");
        line.put(std::uint64_t{connection.zone});
        line.put(" ");
    }
    // kernel: ct_show_delta_time
    if (extra != nullptr && extra->start_ns != 0) {
        constexpr std::int64_t kNanoseconds = 1'000'000'000;
        const std::int64_t seconds = now.time_since_epoch().count() / kNanoseconds;
        line.put("delta-time=");
        line.put(static_cast<std::uint64_t>(
            std::max(seconds - extra->start_ns / kNanoseconds, std::int64_t{0})));
        line.put(" ");
    }
    line.put("use=2\n");
}

// The words of a line, without those that recordings leave out.
std::string normalised(std::string_view line) {
    constexpr std::array<std::string_view, 2> kLeftOut = {"use=", "delta-time="};
    const auto ends_word = [](char c) { return c == ' ' || c == '\n'; };
    std::string words;
    words.reserve(line.size());
    const char* const last = line.data() + line.size();
    for (const char* begin = line.data(); begin != last;) {
        const char* end = std::find_if(begin, last, ends_word);
        const std::string_view word(begin, end);
        begin = end == last ? end : end + 1;
        const bool left_out =
            word.empty() || word == "zone=0" ||
            std::any_of(kLeftOut.begin(), kLeftOut.end(),
                        [&](std::string_view prefix) { return word.starts_with(prefix); });
        if (!left_out) {
            if (!words.empty()) {
                words += ' ';
            }
            words += word;
        }
    }
    return words;
}

}  // namespace

}  // namespace nsr::procfs
