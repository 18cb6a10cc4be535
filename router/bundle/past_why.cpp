#include "router/bundle/past_why.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "core/base/words.hpp"
#include "router/base/hex.hpp"
#include "router/base/json_text.hpp"

namespace nsr::router {
namespace {

namespace json = boost::json;

std::uint64_t number_in(const json::object& record, std::string_view key) {
    const json::value* value = record.if_contains(key);
    const std::int64_t* number = value != nullptr ? value->if_int64() : nullptr;
    return number != nullptr ? static_cast<std::uint64_t>(*number) : 0;
}

void add(std::vector<std::string>& list, std::string text) {
    if (!text.empty()) {
        list.push_back(std::move(text));
    }
}

Subject subject_of(const json::object& record) {
    Subject subject;
    subject.state = text_in(record, "state");
    subject.in = text_in(record, "in");
    subject.verdict = text_in(record, "verdict");
    subject.reason = text_in(record, "reason");
    subject.change = text_in(record, "change");
    subject.zone = static_cast<std::uint32_t>(number_in(record, "zone"));
    subject.mark = static_cast<std::uint32_t>(number_in(record, "mark"));
    add(subject.out, text_in(record, "out"));
    add(subject.hooks, text_in(record, "hook"));
    add(subject.tables, text_in(record, "stage"));
    add(subject.chains, text_in(record, "chain"));
    add(subject.rules, text_in(record, "from"));
    if (record.contains("connection_id")) {
        subject.connection = static_cast<std::uint32_t>(number_in(record, "connection_id"));
    }
    return subject;
}

std::vector<std::uint8_t> head_of(const json::object& record) {
    return bytes_in(text_in(record, "head")).value_or(std::vector<std::uint8_t>{});
}

// "#41 at ...", and the lines that belong to it, by its number.
std::map<std::uint64_t, std::string> told_in(std::string_view text) {
    std::map<std::uint64_t, std::string> told;
    std::string* at_hand = nullptr;
    for (const std::string_view line : split(text, '\n')) {
        std::uint64_t number = 0;
        if (line.starts_with('#')) {
            std::from_chars(line.data() + 1, line.data() + line.size(), number);
            at_hand = &told[number];
        }
        if (at_hand != nullptr && !line.empty()) {
            *at_hand += std::string(line) + "\n";
        }
    }
    return told;
}

}  // namespace

Result<std::string, FileError> why_of(const Bundle& bundle, const Filter& filter, std::size_t last,
                                      bool as_json) {
    const std::string* records = bundle.find(bundled::kWhyJson);
    const std::string* text = bundle.find(bundled::kWhyText);
    if (records == nullptr || text == nullptr) {
        return FileError{"the bundle has no records"};
    }
    const auto told = told_in(*text);
    std::vector<std::string> fitting;
    for (const std::string_view line : split(*records, '\n')) {
        boost::system::error_code error;
        const json::value parsed = line.empty() ? json::value() : json::parse(line, error);
        const json::object* record = parsed.if_object();
        if (line.empty()) {
            continue;
        }
        if (error || record == nullptr) {
            return FileError{std::string(bundled::kWhyJson) + " of the bundle is damaged"};
        }
        const auto words = told.find(number_in(*record, "id"));
        if (filter.admits(head_of(*record)) && filter.fits(subject_of(*record)) &&
            (as_json || words != told.end())) {
            fitting.push_back(as_json ? std::string(line) + "\n" : words->second);
        }
    }
    const std::size_t first = last == 0 ? 0 : fitting.size() - std::min(last, fitting.size());
    std::string out;
    for (std::size_t i = first; i < fitting.size(); ++i) {
        out += fitting[i];
    }
    return out;
}

}  // namespace nsr::router
