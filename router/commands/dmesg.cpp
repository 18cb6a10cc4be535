#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <stdexcept>

#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"
#include "router/commands/dmesg_text.hpp"

namespace nsr::router {
namespace {

// dmesg(1); colours and pagers are somebody else's.
struct DmesgOptions {
    bool follow = false;
    bool follow_new = false;
    bool clear = false;
    bool read_clear = false;
    bool raw = false;
    bool decode = false;
    bool no_time = false;
    bool ctime = false;
    bool delta = false;
    bool relative = false;
    bool human = false;
    bool kernel = false;
    bool userspace = false;
    bool console_off = false;
    bool console_on = false;
    bool ignored = false;
    std::string levels;
    std::string console_level;
    std::string time_format;
};

int run(const ControlOptions& control, const DmesgOptions& options);

}  // namespace

void add_dmesg_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("dmesg", "Show the router's log, as dmesg(1)");
    command->footer(
        "Examples:\n  nsrouter dmesg\n  nsrouter dmesg -w\n  nsrouter dmesg -T -l err,warn");
    const ControlOptions control(*command);
    const auto options = std::make_shared<DmesgOptions>();
    command->add_flag("-w,--follow", options->follow, "wait for new lines");
    command->add_flag("-W,--follow-new", options->follow_new, "show only new lines");
    command->add_flag("-C,--clear", options->clear, "forget what there is");
    command->add_flag("-c,--read-clear", options->read_clear, "show and forget what there is");
    command->add_flag("-T,--ctime", options->ctime, "times of the calendar");
    command->add_flag("-t,--notime", options->no_time, "no times");
    command->add_flag("-d,--show-delta", options->delta, "and the time between two lines");
    command->add_flag("-e,--reltime", options->relative,
                      "the minute, and the time since the line before");
    command->add_flag("-H,--human", options->human, "for people: -e");
    command->add_option("--time-format", options->time_format, "the same by name")
        ->check(CLI::IsMember({"delta", "reltime", "ctime", "notime", "iso"}));
    command->add_option("-l,--level", options->levels, "only lines of these levels")
        ->type_name("LEVEL,...");
    command->add_flag("-x,--decode", options->decode, "with facility and level");
    command->add_flag("-r,--raw", options->raw, "with the numbers of the levels");
    command->add_flag("-k,--kernel", options->kernel, "lines of the kernel: all of them are");
    command->add_flag("-u,--userspace", options->userspace, "lines of others: there are none");
    command->add_flag("-P,--nopager", options->ignored, "there is no pager");
    command
        ->add_option("-n,--console-level", options->console_level,
                     "what standard error of the router gets: this level and what is worse")
        ->type_name("LEVEL");
    command->add_flag("-D,--console-off", options->console_off, "it gets nothing but emerg");
    command->add_flag("-E,--console-on", options->console_on, "it gets everything");
    command->callback([control, options, &exit_code] {
        exit_code = guarded([&] { return run(control, *options); });
    });
}

namespace {

// Which of those that were given counts.
DmesgText::Time time_of(const DmesgOptions& options) {
    using Time = DmesgText::Time;
    const std::string& name = options.time_format;
    if (options.no_time || name == "notime") {
        return Time::None;
    }
    if (name == "iso") {
        return Time::Iso;
    }
    const bool ctime = options.ctime || name == "ctime";
    const bool delta = options.delta || name == "delta";
    if (ctime || delta) {
        return ctime && delta ? Time::CtimeDelta : ctime ? Time::Ctime : Time::Delta;
    }
    const bool relative = options.relative || options.human || name == "reltime";
    return relative ? Time::Relative : Time::Default;
}

// As SystemClock counts: without the time in which the machine slept.
std::int64_t boot_us() {
    const auto read = [](clockid_t clock) {
        timespec time{};
        ::clock_gettime(clock, &time);
        return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1000;
    };
    return read(CLOCK_REALTIME) - read(CLOCK_MONOTONIC);
}

unsigned levels_in(const std::string& names) {
    std::string unknown;
    const auto levels = parse_levels(names, unknown);
    if (!levels) {
        throw std::runtime_error("dmesg: unknown level '" + unknown + "'");
    }
    return *levels;
}

int set_console(const ControlTarget& target, const DmesgOptions& options) {
    // kernel: console_loglevel; what is below it is shown
    unsigned shown = options.console_on ? 8 : 1;
    if (const std::string& level = options.console_level; !level.empty()) {
        const bool number = level.size() == 1 && level[0] >= '1' && level[0] <= '8';
        shown = number ? static_cast<unsigned>(level[0] - '0')
                       : static_cast<unsigned>(std::countr_zero(levels_in(level))) + 1;
    }
    return print_reply(ask(target, {"PUT", "/log?console=" + std::to_string(shown), {}}));
}

int show(const ControlTarget& target, const DmesgOptions& options) {
    DmesgText::Form form{time_of(options), ~0U, options.raw, options.decode, boot_us()};
    if (!options.levels.empty()) {
        form.levels = levels_in(options.levels);
    }
    if (options.userspace && !options.kernel) {
        form.levels = 0;
    }
    DmesgText text(form);
    std::string rest;
    const auto print = [&](std::string_view piece) {
        rest += piece;
        std::size_t at = 0;
        for (std::size_t end; (end = rest.find('\n', at)) != std::string::npos; at = end + 1) {
            const std::string line = text.line(std::string_view(rest).substr(at, end - at));
            std::fwrite(line.data(), 1, line.size(), stdout);
        }
        rest.erase(0, at);
        std::fflush(stdout);
    };
    std::string log = "/log?format=raw";
    if (options.follow_new) {
        log += "&follow=new";
    } else if (options.follow && !options.read_clear) {
        log += "&follow=1";
    }
    const char* method = options.read_clear ? "DELETE" : "GET";
    return print_reply(ask_streaming(target, {method, log, {}}, print));
}

int run(const ControlOptions& control, const DmesgOptions& options) {
    const ControlTarget target = control.target();
    if (options.console_on || options.console_off || !options.console_level.empty()) {
        return set_console(target, options);
    }
    if (options.clear) {
        const ControlReply cleared = ask(target, {"DELETE", "/log", {}});
        return cleared.ok() ? kSuccess : print_reply(cleared);
    }
    return show(target, options);
}

}  // namespace

}  // namespace nsr::router
