// GET /metrics: what the router counts, in the text format of Prometheus, version 0.0.4.
//
// Theory of operation
//   One row for each metric: its name, its type, what it means, and how its samples are read
//   (metrics_table.cpp). Every sample carries the name of the router; what else tells samples of a
//   metric apart comes from the configuration, from an administrator or from a list in the code,
//   never from packets. Connection tracking has the names of node_exporter, which calls all of them
//   gauges, beside our own. One metric is written at a time, so that packets come in between; sets
//   beyond kMostSets are not told apart, nor are ranges of ports of NAT beyond kMostNatPools.
//   The ports that those use are counted first, over the whole table, a few connections at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/instant.hpp"
#include "core/procfs/nat_ports.hpp"
#include "router/control/devices.hpp"
#include "router/ports/turns.hpp"

namespace nsr::router {

struct Controls;

inline constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
inline constexpr std::size_t kMostSets = 500;
inline constexpr std::size_t kMostNatPools = 500;

// The samples of one metric, written one a line.
class Samples {
  public:
    using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    Samples(std::string& out, std::string_view name, std::string_view router)
        : out_(out), name_(name), router_(router) {}

    void add(std::uint64_t value) { add({}, value); }
    void add(Labels labels, std::uint64_t value) { write({}, labels, std::to_string(value)); }
    void add_seconds(Labels labels, Duration value);
    void add_number(Labels labels, double value);
    // NAME_bucket, NAME_sum, NAME_count, in seconds.
    void add_histogram(Labels labels, const TurnHistogram& histogram);

  private:
    void write(std::string_view suffix, Labels labels, std::string_view value,
               std::string_view bound = {});

    std::string& out_;
    std::string_view name_;
    std::string_view router_;
};

class Metrics {
  public:
    explicit Metrics(const Controls& controls);

    // Appends what comes next. False: that was the last.
    bool advance(Instant now, std::string& out);

    struct Source {
        const Controls& controls;
        const QueueLosses& queue_losses;
        const procfs::NatPorts& ports;
        Instant now;
    };
    struct Row {
        std::string_view name;
        std::string_view type;  // counter, gauge, histogram
        std::string_view help;
        void (*read)(const Source& source, Samples& samples);
        bool of_one_shard = false;  // of several the first one would know its own part only
    };
    static std::span<const Row> rows();

  private:
    const Controls& controls_;
    QueueLosses queue_losses_;
    procfs::NatPorts ports_;
    std::size_t row_ = 0;
};

}  // namespace nsr::router
