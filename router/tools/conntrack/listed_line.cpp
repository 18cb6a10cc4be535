#include "router/tools/conntrack/listed_line.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "core/base/words.hpp"
#include "core/conntrack/record/connection.hpp"
#include "core/conntrack/tuple_text.hpp"
#include "router/tools/conntrack/values.hpp"

namespace nsr::router {
namespace {

using conntrack::Ports;
using conntrack::Tuple;
namespace status = conntrack::status;

// One direction, as far as it was said.
struct Half {
    std::optional<IpAddress> source;
    std::optional<IpAddress> destination;
    std::optional<std::uint16_t> source_port;  // or the key of GRE
    std::optional<std::uint16_t> destination_port;
    std::optional<std::uint8_t> type;
    std::optional<std::uint8_t> code;
    std::optional<std::uint16_t> id;
};

// What is behind the columns has a name each, in any order but that of the directions.
class Line {
  public:
    explicit Line(std::string_view text) : text_(text) {}
    Result<SavedConnection, std::string> parse();

  private:
    bool columns();
    bool take(std::string_view word);
    bool flag(std::string_view word);
    bool value(std::string_view key, std::string_view text);
    bool labels(std::string_view text);
    bool finish();
    std::optional<Tuple> tuple_of(const Half& half) const;
    void pass_over_date(std::string_view word);
    [[nodiscard]] Half& half() { return halves_[begun_ == 0 ? 0 : begun_ - 1]; }
    bool fail(std::string what) {
        if (error_.empty()) {
            error_ = std::move(what);
        }
        return false;
    }
    std::string_view next_word();

    std::string_view text_;
    std::array<Half, 2> halves_;
    std::size_t begun_ = 0;  // how many directions there were up to now
    bool offloaded_ = false;
    std::uint8_t protocol_ = 0;
    SavedConnection saved_;
    std::string error_;
};

std::string_view Line::next_word() {
    const std::size_t begin = std::min(text_.find_first_not_of(" \t\r"), text_.size());
    const std::size_t end = std::min(text_.find_first_of(" \t\r", begin), text_.size());
    const std::string_view word = text_.substr(begin, end - begin);
    text_.remove_prefix(end);
    return word;
}

Result<SavedConnection, std::string> Line::parse() {
    saved_.connection.with.status = status::kSeenReply;
    if (!columns()) {
        return error_;
    }
    for (std::string_view word = next_word(); !word.empty(); word = next_word()) {
        if (!take(word)) {
            return error_;
        }
    }
    return finish() ? Result<SavedConnection, std::string>(std::move(saved_)) : error_;
}

// [ipv4 2] tcp 6 [SECONDS] [STATE]
bool Line::columns() {
    std::string_view name = next_word();
    if (name == "ipv4" || name == "ipv6") {
        next_word();
        name = next_word();
    }
    if (!parse_whole(next_word(), protocol_)) {
        return fail("this is no line of a connection table: \"" + shown(name) +
                    "\" is not followed by the number of a protocol");
    }
    const std::string_view before = text_;
    std::uint32_t seconds = 0;
    if (!parse_whole(next_word(), seconds)) {
        text_ = before;  // an offloaded flow has none
        return true;
    }
    saved_.connection.with.timeout_seconds = seconds;
    const std::string_view behind = text_;
    const std::string_view state = next_word();
    if (state.find('=') != std::string_view::npos || state.starts_with('[')) {
        text_ = behind;
        return true;
    }
    const bool has_states = protocol_ == proto::kTcp || protocol_ == proto::kSctp;
    const auto number = has_states ? state_by_name(protocol_, state) : std::nullopt;
    if (has_states && !number) {
        return fail("unknown state \"" + shown(state) + "\" of " + std::string(name));
    }
    saved_.connection.with.protocol.state = number;
    return true;
}

bool Line::take(std::string_view word) {
    if (word.starts_with('[')) {
        return flag(word);
    }
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) {
        return fail("unknown word \"" + shown(word) + "\"");
    }
    const std::string_view key = word.substr(0, equals);
    return value(key, word.substr(equals + 1)) ||
           fail(std::string(key) + "= has no value that fits: \"" + shown(word.substr(equals + 1)) +
                "\"");
}

bool Line::flag(std::string_view word) {
    std::uint32_t& bits = saved_.connection.with.status;
    if (word == "[UNREPLIED]") {
        bits &= ~status::kSeenReply;
    } else if (word == "[ASSURED]") {
        bits |= status::kAssured;
    } else if (word == "[OFFLOAD]" || word == "[HW_OFFLOAD]") {
        offloaded_ = true;
    } else if (word.starts_with("[start=") || word.starts_with("[stop=")) {
        pass_over_date(word);
    } else {
        return fail("unknown word \"" + shown(word) + "\"");
    }
    return true;
}

// "[start=Sun Nov 22 10:46:02 2026]"
void Line::pass_over_date(std::string_view word) {
    while (!word.empty() && !word.ends_with(']')) {
        word = next_word();
    }
}

template <class T>
bool put(std::string_view text, std::optional<T>& into) {
    T number{};
    if (!parse_whole(text, number)) {
        return false;
    }
    into = number;
    return true;
}

bool put(std::string_view text, std::optional<IpAddress>& into) {
    into = parse_address(text);
    return into.has_value();
}

// A key of GRE has 32 bits for those who print it, and 16 for those who track it.
bool put_key(std::string_view text, std::optional<std::uint16_t>& into) {
    std::uint32_t key = 0;
    if (!parse_whole(text, key) || key > 0xffff) {
        return false;
    }
    into = static_cast<std::uint16_t>(key);
    return true;
}

// In which directions it counts.
bool put_zone(std::string_view text, conntrack::NewConnection& into, bool original, bool reply) {
    into.zone_original = original;
    into.zone_reply = reply;
    return parse_whole(text, into.zone);
}

bool Line::value(std::string_view key, std::string_view text) {
    constexpr std::string_view kPassedOver[] = {"packets", "bytes",  "use", "delta-time",
                                                "secmark", "secctx", "id",  "portid"};
    conntrack::NewConnection& connection = saved_.connection;
    if (key == "src") {
        return ++begun_ <= halves_.size() && put(text, half().source);
    }
    const bool fresh_id = key == "id" && begun_ != 0 && half().type && !half().id;
    if (fresh_id) {
        return put(text, half().id);
    }
    if (std::find(std::begin(kPassedOver), std::end(kPassedOver), key) != std::end(kPassedOver)) {
        return true;
    }
    if (key == "mark") {
        connection.with.mark.emplace();
        return parse_whole(text, connection.with.mark->value);
    }
    if (key == "helper") {
        saved_.without = "helper=" + std::string(text);
        return true;
    }
    return key == "dst"          ? put(text, half().destination)
           : key == "sport"      ? put(text, half().source_port)
           : key == "dport"      ? put(text, half().destination_port)
           : key == "srckey"     ? put_key(text, half().source_port)
           : key == "dstkey"     ? put_key(text, half().destination_port)
           : key == "type"       ? put(text, half().type)
           : key == "code"       ? put(text, half().code)
           : key == "zone"       ? put_zone(text, connection, true, true)
           : key == "zone-orig"  ? put_zone(text, connection, true, false)
           : key == "zone-reply" ? put_zone(text, connection, false, true)
           : key == "labels"     ? labels(text)
                                 : fail("unknown word \"" + shown(key) + "=\"");
}

// Numbers; what connlabel.conf calls them is known to the machine alone.
bool Line::labels(std::string_view text) {
    constexpr unsigned kPerWord = 32;
    conntrack::LabelChange change;
    for (const std::string_view word : split(text, ',')) {
        unsigned label = 0;
        if (!parse_whole(word, label) || label >= kPerWord * change.set.size()) {
            return false;
        }
        change.set[label / kPerWord] |= 1u << label % kPerWord;
    }
    saved_.connection.with.labels = change;
    return true;
}

std::optional<Tuple> Line::tuple_of(const Half& half) const {
    if (!half.source || !half.destination) {
        return std::nullopt;
    }
    Tuple tuple{*half.source, *half.destination, 0, 0, protocol_};
    switch (conntrack::ports_of(protocol_)) {
        case Ports::Ports:
        case Ports::Keys:
            tuple.source_port = half.source_port.value_or(0);
            tuple.destination_port = half.destination_port.value_or(0);
            break;
        case Ports::Icmp:
            tuple.source_port = half.id.value_or(0);
            tuple.destination_port =
                static_cast<std::uint16_t>(half.type.value_or(0) << 8 | half.code.value_or(0));
            break;
        case Ports::None:
            break;
    }
    return tuple;
}

bool Line::finish() {
    const auto original = tuple_of(halves_[0]);
    const auto reply = tuple_of(halves_[1]);
    if (!original || !reply) {
        return fail("a connection has src= and dst= twice, of both directions");
    }
    conntrack::NewConnection& connection = saved_.connection;
    connection.original = *original;
    connection.reply = *reply;
    if (!connection.with.timeout_seconds) {
        constexpr std::uint32_t kDay = 86400;
        if (!offloaded_) {
            return fail("how many seconds it has left is missing");
        }
        connection.with.timeout_seconds = kDay;
        if (protocol_ == proto::kTcp) {
            connection.with.protocol.state = state_by_name(protocol_, "ESTABLISHED");
        }
    }
    return true;
}

}  // namespace

Result<SavedConnection, std::string> parse_listed_line(std::string_view line) {
    return Line(line).parse();
}

}  // namespace nsr::router
