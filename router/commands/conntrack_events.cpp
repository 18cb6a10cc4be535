#include "router/commands/conntrack_events.hpp"

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <thread>

#include "router/commands/cli.hpp"
#include "router/http/sse_reader.hpp"

namespace nsr::router {
namespace {

using namespace std::chrono_literals;

constexpr const char* kOverrun =
    "WARNING: We have hit ENOBUFS! We are losing events.\n"
    "This message means that the current netlink socket buffer size is too small.\n"
    "Please, check --buffer-size in conntrack(8) manpage.\n";

// What a signal prints; a handler may do no more than write. It is changed while signals wait.
struct Farewell {
    std::array<char, 64> on_stdout{};
    std::array<char, 128> on_stderr{};
    std::size_t stdout_bytes = 0;
    std::size_t stderr_bytes = 0;
};
Farewell farewell;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): see above

void say_farewell() {
    static_cast<void>(!::write(STDOUT_FILENO, farewell.on_stdout.data(), farewell.stdout_bytes));
    static_cast<void>(!::write(STDERR_FILENO, farewell.on_stderr.data(), farewell.stderr_bytes));
}

void end_by_signal(int /*signal*/) {
    say_farewell();
    ::_exit(0);
}

sigset_t ending_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

// As long as one lives, a signal that would end us waits.
class SignalsWait {
  public:
    SignalsWait() : set_(ending_signals()) { ::pthread_sigmask(SIG_BLOCK, &set_, nullptr); }
    ~SignalsWait() { ::pthread_sigmask(SIG_UNBLOCK, &set_, nullptr); }
    SignalsWait(const SignalsWait&) = delete;
    SignalsWait& operator=(const SignalsWait&) = delete;

  private:
    sigset_t set_;
};

class Printer {
  public:
    explicit Printer(const ConntrackArgs& args)
        : of_expectations_(args.table == ConntrackTable::Expectations), xml_(args.output.xml) {
        count();
    }

    void print(const SseEvent& event);

  private:
    void count();

    bool of_expectations_;
    bool xml_;
    std::size_t shown_ = 0;
};

void Printer::print(const SseEvent& event) {
    const SignalsWait wait;
    if (event.name == "gap") {
        std::fputs(kOverrun, stderr);
        return;
    }
    if (xml_ && shown_ == 0) {
        std::printf("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<%s>\n",
                    of_expectations_ ? "expect" : "conntrack");
    }
    std::printf("%s\n", event.data.c_str());
    std::fflush(stdout);
    ++shown_;
    count();
}

void Printer::count() {
    const auto bytes = [](int printed) { return static_cast<std::size_t>(printed); };
    if (xml_ && shown_ != 0) {
        farewell.stdout_bytes =
            bytes(std::snprintf(farewell.on_stdout.data(), farewell.on_stdout.size(), "</%s>\n",
                                of_expectations_ ? "expect" : "conntrack"));
    }
    farewell.stderr_bytes =
        bytes(std::snprintf(farewell.on_stderr.data(), farewell.on_stderr.size(),
                            "%s: %zu %s events have been shown.\n", kConntrackBanner, shown_,
                            of_expectations_ ? "expectation" : "flow"));
}

// The stream, until it breaks. Nothing: it was not refused.
std::optional<ControlReply> follow(const ControlOptions& control, const std::string& body,
                                   SseReader& reader, const std::function<void()>& alive) {
    ControlReply reply =
        ask_streaming(control.target(), {"POST", "/conntrack", body, reader.last_id()},
                      [&](std::string_view text) {
                          alive();
                          reader.take(text);
                      });
    if (reply.ok()) {
        return std::nullopt;
    }
    return reply;
}

}  // namespace

// A connection that breaks is taken up again where it was; a router that is gone for longer ends
// the command.
int follow_conntrack_events(const ControlOptions& control, const ConntrackArgs& args,
                            const std::string& body) {
    constexpr auto kPause = 200ms;
    constexpr int kTries = 25;  // five seconds
    Printer printer(args);
    SseReader reader([&](const SseEvent& event) { printer.print(event); });
    struct sigaction action {};
    action.sa_handler = end_by_signal;
    action.sa_mask = ending_signals();
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    std::string failure;
    bool begun = false;
    for (int left = kTries; left > 0; --left) {
        try {
            const auto refused = follow(control, body, reader, [&] {
                begun = true;
                left = kTries;
            });
            if (refused) {
                std::fprintf(stderr, "%s: %s", kConntrackBanner, refused->body.c_str());
                return kFailure;
            }
            failure = "the router ended the stream";
        } catch (const std::runtime_error& error) {
            if (!begun) {
                throw;
            }
            failure = error.what();
        }
        reader.restart();
        std::this_thread::sleep_for(kPause);
    }
    const SignalsWait wait;
    say_farewell();
    std::fprintf(stderr, "nsrouter: %s\n", failure.c_str());
    return kFailure;
}

}  // namespace nsr::router
