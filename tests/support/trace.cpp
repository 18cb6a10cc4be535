#include "tests/support/trace.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <sstream>
#include <vector>

namespace nsr::test {
namespace {

constexpr std::string_view kFlagLetters = "FSRP.U";  // bit 0 first

struct Line {
    std::string text;
    std::vector<std::string> words;     // of the segment
    std::vector<std::string> expected;  // of the last column
};

std::vector<std::string> words_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> words;
    std::string word;
    while (in >> word) {
        words.push_back(word);
    }
    return words;
}

std::vector<Line> lines_of(std::string_view trace) {
    std::istringstream in{std::string(trace)};
    std::vector<Line> lines;
    std::string text;
    while (std::getline(in, text)) {
        text = text.substr(0, text.find('#'));
        const std::size_t begin = text.find_first_not_of(' ');
        if (begin == std::string::npos) {
            continue;
        }
        text = text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
        const std::size_t gap = std::min(text.find("  "), text.size());
        lines.push_back({text, words_of(text.substr(0, gap)), words_of(text.substr(gap))});
    }
    return lines;
}

// Sequence numbers count round: -1 is the one before 0.
std::optional<std::uint32_t> number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(value);
}

// Plays one trace; what is wrong ends it.
class Player {
  public:
    explicit Player(TraceWorld& world) : world_(world) {}

    // What is wrong with this line; empty: nothing.
    std::string play(const Line& line) {
        info_.reset();
        const std::string& first = line.words.front();
        const std::string wrong = first[0] == '+' ? pass_time(first) : send(line.words);
        return wrong.empty() ? compare(line.expected) : wrong;
    }

  private:
    struct Side {
        std::uint32_t isn;
        std::uint32_t next;  // relative to isn
    };

    std::string pass_time(const std::string& word) {
        const std::size_t unit = word.find_first_not_of("0123456789", 1);
        const auto value = number(std::string_view(word).substr(1, unit - 1));
        if (!value || unit == std::string::npos) {
            return "no time: " + word;
        }
        const bool seconds = word.substr(unit) == "s";
        world_.wait(std::chrono::milliseconds(std::int64_t{*value} * (seconds ? 1000 : 1)));
        return {};
    }

    std::string send(const std::vector<std::string>& words) {
        const bool from_client = words[0] == ">";
        if (!from_client && words[0] != "<") {
            return "neither > nor < nor +: " + words[0];
        }
        Side& side = sides_[from_client ? 0 : 1];
        PacketBuilder packet =
            from_client ? tcp(world_.client, world_.server) : tcp(world_.server, world_.client);
        std::uint8_t flags = 0;
        std::uint32_t seq = side.next;
        std::uint32_t length = 0;
        for (std::size_t i = 1; i < words.size(); ++i) {
            const std::string& word = words[i];
            const auto value = i + 1 < words.size() ? number(words[i + 1]) : std::nullopt;
            if (word == "ack" && value) {
                packet.ack(sides_[from_client ? 1 : 0].isn + *value);
                ++i;
            } else if (word == "win" && value) {
                packet.win(static_cast<std::uint16_t>(*value));
                ++i;
            } else if (word == "bad") {
                packet.bad_checksum();
            } else if (word.find(':') != std::string::npos) {
                if (!read_range(word, seq, length)) {
                    return "no from:to(length): " + word;
                }
            } else if (!read_flags(word, flags)) {
                return "no part of a segment: " + word;
            }
        }
        packet.flags(flags).seq(side.isn + seq).payload(length);
        side.next = seq + length + ((flags & 3) != 0 ? 1 : 0);
        info_ = world_.segment(from_client, packet);
        return {};
    }

    static bool read_flags(const std::string& word, std::uint8_t& flags) {
        for (const char letter : word) {
            const std::size_t bit = kFlagLetters.find(letter);
            if (bit == std::string_view::npos) {
                return false;
            }
            flags = static_cast<std::uint8_t>(flags | 1u << bit);
        }
        return true;
    }

    // "1:11(10)"
    static bool read_range(std::string_view word, std::uint32_t& seq, std::uint32_t& length) {
        const std::size_t colon = word.find(':');
        const std::size_t open = word.find('(');
        if (open == std::string_view::npos || word.back() != ')') {
            return false;
        }
        const auto from = number(word.substr(0, colon));
        const auto to = number(word.substr(colon + 1, open - colon - 1));
        const auto bytes = number(word.substr(open + 1, word.size() - open - 2));
        if (!from || !to || !bytes || *to - *from != *bytes) {
            return false;
        }
        seq = *from;
        length = *bytes;
        return true;
    }

    [[nodiscard]] const conntrack::Connection* only() const {
        const conntrack::Table& table = world_.tracking().table();
        const auto first = table.next(std::nullopt);
        return first && !table.next(first) ? &table[*first] : nullptr;
    }

    std::string compare(const std::vector<std::string>& expected) const {
        std::string_view kind = "ESTABLISHED";
        for (const std::string& word : expected) {
            if (word == "NEW" || word == "RELATED" || word == "INVALID") {
                kind = word;
            } else if (std::string wrong = compare(word); !wrong.empty()) {
                return wrong;
            }
        }
        return !info_ || kind == kind_of(*info_) ? std::string()
                                                 : "the segment is " + std::string(kind_of(*info_));
    }

    static std::string_view kind_of(CtInfo info) {
        switch (info) {
            case CtInfo::New:
                return "NEW";
            case CtInfo::Established:
            case CtInfo::EstablishedReply:
                return "ESTABLISHED";
            case CtInfo::Related:
            case CtInfo::RelatedReply:
                return "RELATED";
            case CtInfo::Untracked:
                return "UNTRACKED";
            case CtInfo::Invalid:
                break;
        }
        return "INVALID";
    }

    [[nodiscard]] std::string compare(const std::string& word) const {
        const conntrack::Connection* entry = only();
        const std::string state = entry == nullptr ? "none" : std::string(state_name(*entry));
        if (word.ends_with("ASSURED")) {
            const bool assured = entry != nullptr && entry->has(conntrack::status::kAssured);
            return assured == (word[0] != '!') ? std::string() : "it should be " + word;
        }
        if (word.ends_with("UNREPLIED")) {
            const bool replied = entry != nullptr && entry->has(conntrack::status::kSeenReply);
            return replied == (word[0] == '!') ? std::string() : "it should be " + word;
        }
        if (number(word)) {
            const std::string left = entry == nullptr ? "none" : std::to_string(seconds(*entry));
            return left == word ? std::string() : left + " seconds are left";
        }
        return state == word ? std::string() : "the state is " + state;
    }

    // To the nearest.
    [[nodiscard]] int seconds(const conntrack::Connection& entry) const {
        return (jiffies_until(entry.deadline, to_jiffies(world_.now())) + 125) / 250;
    }

    TraceWorld& world_;
    std::array<Side, 2> sides_ = {{{kClientIsn, 0}, {kServerIsn, 0}}};
    std::optional<CtInfo> info_;  // of the segment; nothing: time passed
};

}  // namespace

std::string play(TraceWorld& world, std::string_view trace) {
    Player player(world);
    std::string told;
    std::size_t count = 0;
    for (const Line& line : lines_of(trace)) {
        told += "\n  " + std::to_string(++count) + ". " + line.text;
        if (const std::string wrong = player.play(line); !wrong.empty()) {
            return "line " + std::to_string(count) + " of the trace: " + wrong + told;
        }
    }
    return {};
}

}  // namespace nsr::test
