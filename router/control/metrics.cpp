#include "router/control/metrics.hpp"

#include <array>
#include <charconv>
#include <cstdio>

#include "router/control/controls.hpp"
#include "router/control/devices.hpp"

namespace nsr::router {
namespace {

// "0.00025", without zeros behind the last digit.
std::string in_seconds(Duration time) {
    const auto ns = time.count();
    constexpr std::int64_t kSecond = 1'000'000'000;
    std::array<char, 48> text{};
    const int length =
        std::snprintf(text.data(), text.size(), "%lld.%09lld", static_cast<long long>(ns / kSecond),
                      static_cast<long long>(ns % kSecond));
    std::string out(text.data(), static_cast<std::size_t>(length));
    out.erase(out.find_last_not_of('0') + 1);
    if (out.ends_with('.')) {
        out.pop_back();
    }
    return out;
}

// Backslash, quote and line break, as the format wants them in the value of a label.
void append_label(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append("=\"");
    for (const char c : value) {
        if (c == '\n') {
            out += "\\n";
            continue;
        }
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    out += '"';
}

}  // namespace

void Samples::write(std::string_view suffix, Labels labels, std::string_view value,
                    std::string_view bound) {
    out_.append(name_).append(suffix).append("{");
    append_label(out_, "router", router_);
    for (const auto& [name, text] : labels) {
        out_ += ',';
        append_label(out_, name, text);
    }
    if (!bound.empty()) {
        out_ += ',';
        append_label(out_, "le", bound);
    }
    out_.append("} ").append(value).append("\n");
}

void Samples::add_seconds(Labels labels, Duration value) {
    write({}, labels, in_seconds(value));
}

void Samples::add_number(Labels labels, double value) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    write({}, labels, {text.data(), static_cast<std::size_t>(end - text.data())});
}

void Samples::add_histogram(Labels labels, const TurnHistogram& histogram) {
    std::uint64_t within = 0;
    for (std::size_t bucket = 0; bucket < TurnHistogram::kBounds.size(); ++bucket) {
        within += histogram.in(bucket);
        write("_bucket", labels, std::to_string(within),
              in_seconds(TurnHistogram::kBounds[bucket]));
    }
    write("_bucket", labels, std::to_string(histogram.count()), "+Inf");
    write("_sum", labels, in_seconds(histogram.sum()));
    write("_count", labels, std::to_string(histogram.count()));
}

Metrics::Metrics(const Controls& controls)
    : controls_(controls), queue_losses_(controls), ports_(controls.router) {
}

// A metric of which there is nothing to say is left out.
bool Metrics::advance(Instant now, std::string& out) {
    if (queue_losses_.advance() || ports_.advance(now, kMostNatPools)) {
        return true;
    }
    const Row& row = rows()[row_];
    std::string lines;
    Samples samples(lines, row.name, controls_.config.name);
    if (!row.of_one_shard || controls_.others == nullptr) {
        row.read({controls_, queue_losses_, ports_, now}, samples);
    }
    if (!lines.empty()) {
        out.append("# HELP ").append(row.name).append(" ").append(row.help).append("\n");
        out.append("# TYPE ").append(row.name).append(" ").append(row.type).append("\n");
        out += lines;
    }
    return ++row_ < rows().size();
}

}  // namespace nsr::router
