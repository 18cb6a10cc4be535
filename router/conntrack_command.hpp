// conntrack(8) commands carried out on a router.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "core/pipeline/router.hpp"
#include "router/conntrack_args.hpp"

namespace nsr::router {

// -L, piece by piece: no entry twice, none missed that lived throughout.
class ConntrackListing {
  public:
    // Json: an array of objects, whatever -o says.
    enum class Form : std::uint8_t { AsAsked, Json };
    explicit ConntrackListing(ConntrackArgs args, Form form = Form::AsAsked)
        : args_(std::move(args)), form_(form) {}
    // Appends about `bytes` of text; false when that was the last of it. A call looks at a bounded
    // number of entries, however few of them the filter selects.
    bool read(Router& router, std::string& out, std::size_t bytes, Instant now);

  private:
    void begin(std::string& out);
    void append(Router& router, std::string& out, ConnId id, Instant now);
    void end(std::string& out) const;

    ConntrackArgs args_;
    Form form_;
    conntrack::Table::Walk walk_;
    bool begun_ = false;
    bool first_ = true;
};

struct ConntrackAnswer {
    std::string text;   // the entries shown, deleted or updated, one a line; -C: the number
    std::string error;  // a sentence for people; empty: it worked
};

ConntrackAnswer run_conntrack(const ConntrackArgs& args, Router& router, Instant now);

}  // namespace nsr::router
