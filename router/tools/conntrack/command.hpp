// conntrack(8) commands carried out on a router.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/pipeline/router.hpp"
#include "router/tools/conntrack/answer.hpp"
#include "router/tools/conntrack/args.hpp"
#include "router/tools/conntrack/text.hpp"

namespace nsr::router {

// Where rules stand ("rules.v4:12"), by the number of their id. Takes as long as there are rules.
using RulePlaces = std::unordered_map<std::uint32_t, std::string>;
RulePlaces places_of(const rules::Ruleset& ruleset);

// A command that goes through the table (-L, -D, -U, -F), piece by piece: no entry twice, none
// missed that lived throughout, and never long enough to be in the way of packets.
class ConntrackPass {
  public:
    // Json: an array of objects, whatever -o says. Silent: only the number counts.
    enum class Form : std::uint8_t { AsAsked, Json, Silent };
    explicit ConntrackPass(ConntrackArgs args, Form form = Form::AsAsked)
        : args_(std::move(args)), form_(form) {}
    [[nodiscard]] static bool takes(const ConntrackArgs& args);

    // It shows which rules accepted and translated connections: for that it needs their places.
    // Those that it is not given it looks up itself, all at once.
    [[nodiscard]] bool names_rules() const {
        return form_ == Form::Json || (form_ == Form::AsAsked && args_.output.rules);
    }
    void set_places(std::shared_ptr<const RulePlaces> places) { places_ = std::move(places); }

    // Shows what it would delete, and deletes nothing.
    void set_dry_run(bool dry_run) { dry_run_ = dry_run; }

    // Another table follows, with the same pass; or (`last`) none does: before the first piece of
    // each. Of one table alone nothing needs to be said.
    void begin_table(bool last) {
        cursor_ = {};
        cursor_.at = page_.after ? *page_.after + 1 : 0;
        last_table_ = last;
    }

    // A part of the table: `most` entries whose ids are greater than `after`, in their order.
    struct Page {
        std::size_t most = ~std::size_t{0};
        std::optional<std::uint32_t> after;
    };
    void set_page(const Page& page) {
        page_ = page;
        begin_table(last_table_);
    }

    // Appends about `bytes` of text; false when that was the last of it. A call looks at a bounded
    // number of entries, however few of them the filter selects, and changes fewer.
    bool advance(Router& router, std::string& out, std::size_t bytes, Instant now);
    // How many were shown, deleted or updated.
    [[nodiscard]] std::size_t entries() const { return entries_; }
    // How many of them could not be updated, and why.
    [[nodiscard]] const ConntrackRefusals& refusals() const { return refusals_; }

  private:
    void begin(std::string& out);
    [[nodiscard]] bool frames_xml() const;
    bool change(Router& router, ConnId id, Instant now);
    [[nodiscard]] bool wanted(const Router& router, ConnId id, Instant now) const;
    void visit(Router& router, std::string& out, ConnId id, Instant now);
    void append(Router& router, std::string& out, ConnId id, Instant now);
    void end(std::string& out) const;
    RulesOf rules_of(const Router& router, ConnId id);

    ConntrackArgs args_;
    Form form_;
    std::shared_ptr<const RulePlaces> places_;
    Page page_;
    bool dry_run_ = false;
    conntrack::Table::Cursor cursor_;
    bool begun_ = false;
    bool last_table_ = true;
    std::size_t entries_ = 0;
    ConntrackRefusals refusals_;
};

// What of a command is about one connection, which is in the table of one of several shards, and so
// needs one shard; null: nothing.
const char* needs_one_shard(ConntrackCommand command);

// All at once.
ConntrackAnswer run_conntrack(const ConntrackArgs& args, Router& router, Instant now);

}  // namespace nsr::router
