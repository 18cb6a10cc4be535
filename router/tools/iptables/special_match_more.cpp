#include <array>

#include "core/rules/words/text.hpp"
#include "router/tools/iptables/special_text.hpp"

namespace nsr::router {

std::string comment_text(const SavedPart& part, const TextStyle&) {
    return " /* " + (part.words.size() > 1 ? part.words[1].text : std::string()) + " */";
}

namespace {

// "1st,2nd": by the last digit alone, as the tool does it.
std::string ordinals(const std::string& list) {
    constexpr std::array<std::string_view, 4> kEndings = {"th", "st", "nd", "rd"};
    std::string text;
    for (const std::string_view day : split(list, ',')) {
        const auto digit = static_cast<std::size_t>(day.empty() ? 0 : day.back() - '0');
        const std::string_view ending = kEndings[digit < kEndings.size() ? digit : 0];
        text += (text.empty() ? "" : ",") + std::string(day) + std::string(ending);
    }
    return text;
}

// "2024-01-01T00:00:00" with a blank in it.
std::string date_text(std::string date) {
    if (const std::size_t t = date.find('T'); t != std::string::npos) {
        date[t] = ' ';
    }
    return date;
}

// What --datestop is if nobody says it.
constexpr std::string_view kLastDate = "2038-01-19T03:14:07";

}  // namespace

std::string time_text(const SavedPart& part, const TextStyle&) {
    const auto options = part.options();
    const auto given = [&](std::string_view name) {
        const SavedOption* option = find_saved(options, name);
        return option == nullptr ? std::string() : saved_value(*option);
    };
    std::string text = " TIME";
    const std::string start = given("timestart");
    const std::string stop = given("timestop");
    if (!start.empty() || !stop.empty()) {
        text += " from " + (start.empty() ? "00:00:00" : start) + " to " +
                (stop.empty() ? "23:59:59" : stop);
    }
    if (const std::string days = given("weekdays"); !days.empty()) {
        text += " on " + days;
    }
    if (const std::string days = given("monthdays"); !days.empty()) {
        text += " on " + ordinals(days);
    }
    if (const std::string date = given("datestart"); !date.empty()) {
        text += " starting from " + date_text(date);
    }
    if (const std::string date = given("datestop"); !date.empty() && date != kLastDate) {
        text += " until date " + date_text(date);
    }
    text += find_saved(options, "kerneltz") == nullptr ? " UTC" : "";
    return text + (find_saved(options, "contiguous") == nullptr ? "" : " contiguous");
}

std::string_view tos_name(std::string_view value_and_mask) {
    constexpr std::array<std::array<std::string_view, 2>, 5> kNames = {{
        {"0x10/0x3f", "Minimize-Delay"},
        {"0x08/0x3f", "Maximize-Throughput"},
        {"0x04/0x3f", "Maximize-Reliability"},
        {"0x02/0x3f", "Minimize-Cost"},
        {"0x00/0x3f", "Normal-Service"},
    }};
    for (const auto& [text, name] : kNames) {
        if (text == value_and_mask) {
            return name;
        }
    }
    return {};
}

std::string tos_match_text(const SavedPart& part, const TextStyle& style) {
    const auto options = part.options();
    if (options.empty()) {
        return " tos match";
    }
    const std::string value = saved_value(options.front());
    const std::string_view name = tos_name(value);
    return " tos match" + bang_mark(options.front().inverted) +
           (style.numeric || name.empty() ? value : " " + std::string(name));
}

std::string connlimit_text(const SavedPart& part, const TextStyle&) {
    const auto options = part.options();
    const auto given = [&](std::string_view name) {
        const SavedOption* option = find_saved(options, name);
        return option == nullptr ? std::string() : saved_value(*option);
    };
    const bool above = find_saved(options, "connlimit-above") != nullptr;
    return std::string(" #conn ") +
           (find_saved(options, "connlimit-daddr") != nullptr ? "dst/" : "src/") +
           given("connlimit-mask") + (above ? " > " : " <= ") +
           given(above ? "connlimit-above" : "connlimit-upto");
}

std::string policy_text(const SavedPart& part, const TextStyle& style) {
    std::string text = " policy match";
    const auto options = part.options();
    const bool strict = find_saved(options, "strict") != nullptr;
    unsigned element = 0;
    bool begun = false;
    for (const SavedOption& option : options) {
        const bool in_general =
            option.name == "dir" || option.name == "pol" || option.name == "strict";
        if (strict && !in_general && (!begun || option.name == "next")) {
            text += " [" + std::to_string(element++) + "]";
            begun = true;
        }
        if (option.name == "next") {
            continue;
        }
        std::string value = saved_value(option);
        if (option.name == "proto" && style.numeric) {
            value = std::to_string(rules::parse_protocol(value).value_or(0));
        }
        text += (option.inverted ? " ! " : " ") + option.name + (value.empty() ? "" : " " + value);
    }
    return text;
}

std::string owner_text(const SavedPart& part, const TextStyle& style) {
    std::string text;
    for (const SavedOption& option : part.options()) {
        std::string value = saved_value(option);
        value = value == "0" && !style.numeric ? "root" : value;
        text += option.inverted ? " ! " : " ";
        if (option.name == "uid-owner") {
            text += "owner UID match " + value;
        } else if (option.name == "gid-owner") {
            text += "owner GID match " + value;
        } else if (option.name == "socket-exists") {
            text += "owner socket exists";
        } else {
            text += "incl. suppl. groups";
        }
    }
    return text;
}

// The program without the number of its instructions.
std::string bpf_text(const SavedPart& part, const TextStyle&) {
    const auto options = part.options();
    const std::string code = options.empty() ? std::string() : saved_value(options.front());
    const std::size_t comma = code.find(',');
    return "match bpf " + (comma == std::string::npos ? code : code.substr(comma + 1)) + " ";
}

}  // namespace nsr::router
