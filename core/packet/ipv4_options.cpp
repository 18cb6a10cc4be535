#include "core/packet/ipv4_options.hpp"

#include <algorithm>
#include <utility>

#include "core/packet/rewrite.hpp"
#include "core/wire/ipv4.hpp"

namespace nsr {

namespace {

namespace ipv4 = wire::ipv4;
using wire::Bytes;
using wire::ConstBytes;

constexpr std::uint8_t kOptionCipso = 134;
// The third byte of a recording option points (counted from 1) at the next free byte.
constexpr std::size_t kPointer = 2;
constexpr std::size_t kOverflowAndFlag = 3;  // of a timestamp option
constexpr std::uint8_t kTimeOnly = 0;
constexpr std::uint8_t kTimeAndAddress = 1;
constexpr std::uint8_t kPrespecified = 3;
constexpr std::size_t kEntryBytes = 4;  // an address, or a time
constexpr std::size_t kFine = ~std::size_t{0};

std::uint8_t flag_of(ConstBytes timestamp) {
    return timestamp[kOverflowAndFlag] & 0x0f;
}

std::size_t cipso_problem(ConstBytes option);

// Goes from option to option, up to the end of the list or the first that is malformed.
class OptionWalk {
  public:
    explicit OptionWalk(ConstBytes header) : header_(header) {}

    // The next option that is not a no-operation.
    struct Place {
        std::uint8_t offset = 0;  // in the header
        std::uint8_t length = 0;
    };
    static Place place(std::size_t offset, std::size_t length) {
        return {static_cast<std::uint8_t>(offset), static_cast<std::uint8_t>(length)};
    }
    std::optional<Place> next();

    [[nodiscard]] bool source_routed() const { return source_route_; }
    // Of the malformed byte; 0: none so far.
    [[nodiscard]] std::size_t problem() const { return problem_; }
    // Where the list ends before the header does; 0: it has not.
    [[nodiscard]] std::size_t end() const { return end_; }

  private:
    std::size_t problem_of(ConstBytes option);
    std::size_t route_problem(ConstBytes option);
    std::size_t timestamp_problem(ConstBytes option);

    ConstBytes header_;
    std::size_t at_ = ipv4::kOptionsOffset;
    std::size_t problem_ = 0;
    std::size_t end_ = 0;
    bool source_route_ = false;
    bool record_route_ = false;
    bool timestamp_ = false;
};

// What came of giving an option one more entry.
enum class Entry : std::uint8_t { None, Added, Half };  // Half: there was room for half an entry

Entry add_route(Bytes option, const Ipv4Stamp& stamp);
Entry add_timestamp(Bytes option, const Ipv4Stamp& stamp);
void count_overflow(Bytes timestamp);

}  // namespace

Ipv4OptionFacts check_ipv4_options(std::span<const std::uint8_t> header) {
    OptionWalk walk(header);
    while (walk.next()) {
    }
    return {walk.source_routed(), static_cast<std::uint16_t>(walk.problem())};
}

std::size_t record_in_ipv4_options(Packet& packet, const Ipv4Stamp& stamp) {
    if (!packet.layout.has_ipv4_options) {
        return 0;
    }
    const Bytes header = packet.bytes().first(packet.layout.l4_offset);
    OptionWalk walk(header);
    std::size_t recorded_at = 0;
    while (const auto place = walk.next()) {
        const Bytes option = header.subspan(place->offset, place->length);
        if (option[0] == ipv4::kOptionRecordRoute) {
            const std::size_t pointer = option[kPointer];
            if (add_route(option, stamp) == Entry::Added) {
                recorded_at = place->offset + pointer - 1;
            }
        } else if (option[0] == ipv4::kOptionTimestamp) {
            count_overflow(option);
            add_timestamp(option, stamp);
        }
    }
    if (walk.end() != 0) {
        const Bytes rest = header.subspan(walk.end());
        std::fill(rest.begin(), rest.end(), ipv4::kOptionEnd);
    }
    return recorded_at;
}

void restamp_ipv4_options(Packet& packet, std::size_t recorded_at, const IpAddress& address) {
    if (recorded_at != 0) {
        wire::store32(packet.data() + recorded_at, address.as_v4());
    }
    rewrite::recompute_ipv4_header_checksum(packet);
}

namespace {

std::optional<OptionWalk::Place> OptionWalk::next() {
    while (at_ < header_.size() && header_[at_] == ipv4::kOptionNop) {
        ++at_;
    }
    if (at_ >= header_.size() || problem_ != 0 || end_ != 0) {
        return std::nullopt;
    }
    if (header_[at_] == ipv4::kOptionEnd) {
        end_ = at_;
        return std::nullopt;
    }
    const std::size_t left = header_.size() - at_;
    const std::size_t length = left < 2 ? 0 : header_[at_ + 1];
    const bool impossible = length < 2 || length > left;
    const std::size_t problem = impossible ? 0 : problem_of(header_.subspan(at_, length));
    if (problem != kFine) {
        problem_ = at_ + problem;
        return std::nullopt;
    }
    return place(std::exchange(at_, at_ + length), length);
}

// Offset of the malformed byte in the option, or kFine.
std::size_t OptionWalk::problem_of(ConstBytes option) {
    switch (option[0]) {
        case ipv4::kOptionLooseSourceRoute:
        case ipv4::kOptionStrictSourceRoute:
            if (option.size() < 3) {
                return 1;
            }
            if (option[kPointer] < 4) {
                return kPointer;
            }
            return std::exchange(source_route_, true) ? 0 : kFine;
        case ipv4::kOptionRecordRoute:
            return route_problem(option);
        case ipv4::kOptionTimestamp:
            return timestamp_problem(option);
        case ipv4::kOptionRouterAlert:
            return option.size() < 4 ? 1 : kFine;
        case kOptionCipso:
            return cipso_problem(option);
        default:
            return kFine;
    }
}

std::size_t OptionWalk::route_problem(ConstBytes option) {
    if (std::exchange(record_route_, true)) {
        return 0;
    }
    if (option.size() < 3) {
        return 1;
    }
    const std::size_t pointer = option[kPointer];
    const bool cut_off = pointer <= option.size() && pointer + 3 > option.size();
    return pointer < 4 || cut_off ? kPointer : kFine;
}

std::size_t OptionWalk::timestamp_problem(ConstBytes option) {
    if (std::exchange(timestamp_, true)) {
        return 0;
    }
    if (option.size() < 4) {
        return 1;
    }
    const std::size_t pointer = option[kPointer];
    const std::uint8_t flag = flag_of(option);
    if (pointer < 5) {
        return kPointer;
    }
    if (pointer > option.size()) {
        const bool overflowed = flag != kPrespecified && option[kOverflowAndFlag] >> 4 == 15;
        return overflowed ? kOverflowAndFlag : kFine;
    }
    const bool with_address = flag == kTimeAndAddress || flag == kPrespecified;
    return pointer + (with_address ? 7 : 3) > option.size() ? kPointer : kFine;
}

// Of a domain of interpretation, of which none is known here. kernel: cipso_v4_validate
std::size_t cipso_problem(ConstBytes option) {
    constexpr std::size_t kLeastBytes = 8;
    constexpr std::size_t kDomain = 2;
    return option.size() < kLeastBytes ? 1 : kDomain;
}

Entry add_route(Bytes option, const Ipv4Stamp& stamp) {
    const std::size_t pointer = option[kPointer];
    if (pointer > option.size()) {
        return Entry::None;
    }
    if (pointer + kEntryBytes - 1 > option.size()) {
        return Entry::Half;
    }
    wire::store32(&option[pointer - 1], stamp.address.as_v4());
    option[kPointer] = static_cast<std::uint8_t>(pointer + kEntryBytes);
    return Entry::Added;
}

Entry add_timestamp(Bytes option, const Ipv4Stamp& stamp) {
    const std::size_t pointer = option[kPointer];
    const std::uint8_t flag = flag_of(option);
    const bool known = flag == kTimeOnly || flag == kTimeAndAddress || flag == kPrespecified;
    if (!known || pointer > option.size()) {
        return Entry::None;
    }
    const std::size_t length = flag == kTimeOnly ? kEntryBytes : 2 * kEntryBytes;
    if (pointer + length - 1 > option.size()) {
        return flag == kPrespecified ? Entry::None : Entry::Half;
    }
    std::uint8_t* entry = &option[pointer - 1];
    if (flag == kPrespecified &&
        !(stamp.is_own && stamp.is_own(IpAddress::from_wire(Family::Ipv4, entry)))) {
        return Entry::None;
    }
    if (flag == kTimeAndAddress) {
        wire::store32(entry, stamp.address.as_v4());
    }
    wire::store32(entry + length - kEntryBytes, stamp.time_of_day_ms);
    option[kPointer] = static_cast<std::uint8_t>(pointer + length);
    return Entry::Added;
}

// Of one that is full. It is not at its end: OptionWalk has looked.
void count_overflow(Bytes timestamp) {
    if (timestamp[kPointer] > timestamp.size() && flag_of(timestamp) != kPrespecified) {
        timestamp[kOverflowAndFlag] = static_cast<std::uint8_t>(timestamp[kOverflowAndFlag] + 0x10);
    }
}

}  // namespace

// --- answers ------------------------------------------------------------------------------------

namespace {

// Where in the header the options are that an answer repeats; 0: nowhere.
struct Repeated {
    std::size_t route = 0;
    std::size_t timestamp = 0;
    std::size_t cipso = 0;
};

Repeated find_repeated(ConstBytes header, std::size_t problem);
bool repeat(ConstBytes option, const Ipv4Stamp& stamp, Ipv4Options& answer);

}  // namespace

std::optional<Ipv4Options> echo_ipv4_options(const Packet& about, const Ipv4Stamp& stamp) {
    Ipv4Options answer;
    if (!about.layout.has_ipv4_options) {
        return answer;
    }
    const ConstBytes header = about.bytes().first(about.layout.l4_offset);
    const Repeated found = find_repeated(header, about.layout.problem_pointer);
    // In this order, whatever the order was.
    for (const std::size_t at : {found.route, found.timestamp, found.cipso}) {
        if (at != 0 && !repeat(header.subspan(at, header[at + 1]), stamp, answer)) {
            return std::nullopt;
        }
    }
    answer.size = (answer.size + 3) / 4 * 4;
    return answer;
}

namespace {

// Of the malformed option itself, only CIPSO. What is before it was well formed, whatever has been
// recorded in it since.
Repeated find_repeated(ConstBytes header, std::size_t problem) {
    Repeated found;
    const std::size_t end = problem == 0 ? header.size() : problem;
    std::size_t length = 1;
    for (std::size_t at = ipv4::kOptionsOffset; at < end; at += length) {
        const std::uint8_t type = header[at];
        if (type == ipv4::kOptionEnd) {
            break;
        }
        length = type == ipv4::kOptionNop ? 1 : header[at + 1];
        const bool well_formed = at + length <= end;
        if (type == kOptionCipso) {
            found.cipso = at;
        } else if (type == ipv4::kOptionRecordRoute && well_formed) {
            found.route = at;
        } else if (type == ipv4::kOptionTimestamp && well_formed) {
            found.timestamp = at;
        }
    }
    return found;
}

// Copies an option, with one more entry. False: there is room for half a one.
bool repeat(ConstBytes option, const Ipv4Stamp& stamp, Ipv4Options& answer) {
    const Bytes copy = Bytes(answer.bytes).subspan(answer.size, option.size());
    std::copy(option.begin(), option.end(), copy.begin());
    answer.size += option.size();
    switch (option[0]) {
        case ipv4::kOptionRecordRoute:
            return add_route(copy, stamp) != Entry::Half;
        case ipv4::kOptionTimestamp:
            return add_timestamp(copy, stamp) != Entry::Half;
        default:
            return true;
    }
}

}  // namespace

}  // namespace nsr
