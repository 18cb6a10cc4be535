// Helping: who follows a connection, and what it announced.
//
// Theory of operation
//   A connection may have a Help (record/help.hpp): a helper follows it, or it was expected. Which
//   helper that is says the rule whose CT target saw its first packet, or the settings say that it
//   attaches itself to a port. What a helper reads in the packets (core/helpers) it tells
//   expect_related(): another connection, whose master this one is. The expectations
//   (expect/expectations.hpp) are asked when tracking makes a connection: one that was expected is
//   RELATED, has its master's mark, and NAT translates it at once. They end with their time, with
//   their master, or when the connection has come; none outlives a restart.
// kernel: nf_conntrack_helper.c, nf_conntrack_expect.c
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/conntrack/event_cache.hpp"
#include "core/conntrack/expect/expectations.hpp"
#include "core/conntrack/expect/gre_keys.hpp"
#include "core/conntrack/rate_limit.hpp"
#include "core/conntrack/record/settings.hpp"
#include "core/conntrack/stats.hpp"
#include "core/conntrack/table/table.hpp"
#include "core/packet/packet.hpp"

namespace nsr::conntrack {

// The part of Conntrack that is about helpers. It works on Conntrack's table and counters.
class Helping {
  public:
    // The helper that follows a connection, and the one that expected it.
    [[nodiscard]] HelperId helper_of(ConnId id) const;
    [[nodiscard]] HelperId master_helper_of(ConnId id) const;
    // What a helper remembers of a connection. Null: no helper follows it.
    [[nodiscard]] HelpData* help_data(ConnId id);
    [[nodiscard]] const SequenceAdjusts* adjusts_of(ConnId id) const;
    // The payload of the segment that begins at `sequence` became `difference` octets longer.
    void adjust_sequence(ConnId id, Direction direction, std::uint32_t sequence,
                         std::int32_t difference);
    // It lives `seconds` from now on. kernel: nf_ct_refresh
    void refresh(ConnId id, std::uint32_t seconds, Instant now);

    // A connection is expected from now on. A helper's expectation of the same class that expects
    // the same makes way, and the oldest one where there are too many. kernel:
    // nf_ct_expect_related; EBUSY, EALREADY, EMFILE, ESHUTDOWN
    enum class ExpectFailure : std::uint8_t { Clash, Known, TooMany, NoHelper };
    // `whose`: of whom an expectation of the same flow is, to be Known or to make way. kernel:
    // NF_CT_EXP_F_SKIP_MASTER
    enum class Whose : std::uint8_t { Master, Anybody };
    [[nodiscard]] Result<ExpectId, ExpectFailure> expect_related(const Expectation& expectation,
                                                                 Instant now,
                                                                 Whose whose = Whose::Master);
    // The newest one that `tuple` fits, inactive or not, in the zone of `master`; 0: there is none.
    // kernel: __nf_ct_expect_find
    [[nodiscard]] ExpectId find_expectation(const Tuple& tuple, ConnId master) const;
    // kernel: nf_ct_unexpect_related
    void unexpect(ExpectId id);
    void unexpect_all(ConnId master);
    // conntrack -F expect
    void flush_expectations(Instant now);
    // The expectation of a connection with that tuple, if there is one.
    void unexpect_flow(const Tuple& tuple, ConnId master);
    // The connection with that tuple, in the zone of `master`, is over. False: there is none.
    bool end_now(const Tuple& tuple, ConnId master);
    // How GRE of a call is told apart; by direction. False: the connection has other keys.
    bool add_gre_keys(ConnId master, const Tuple& original, const Tuple& reply);
    void remove_gre_keys(ConnId master) { gre_keys_.remove(master); }
    void activate(ExpectId id, std::uint32_t seconds, Instant now);
    [[nodiscard]] const Expectations& expectations() const { return expectations_; }
    // The newest expectation of `master`; 0: none. See Expectations::older.
    [[nodiscard]] ExpectId newest_expectation(ConnId master) const;

  protected:
    struct Shared {
        Table& table;
        const Settings& settings;
        Stats& stats;
        LogSink& log;
        Instant& now;  // of the last call
        EventCache& events;
    };
    Helping(Shared shared, SipKey key) : shared_(shared), expectations_(key) {}
    ~Helping() = default;

    // What a new connection gets. False: no memory.
    bool take_help(ConnId id, const Meta& meta, const std::optional<Expectation>& expected);
    bool assign_automatic_helper(ConnId id);
    std::optional<Expectation> find_expected(const Tuple& tuple, Zone zone, Jiffies now);
    void expire_expectations(Jiffies now);
    [[nodiscard]] const GreKeys& gre_keys() const { return gre_keys_; }

  private:
    bool assign_helper(ConnId id, const Meta& meta);
    [[nodiscard]] HelperId automatic_helper(const Tuple& reply) const;
    void evict_oldest(const Expectation& expectation);

    Shared shared_;
    Expectations expectations_;
    GreKeys gre_keys_;
    RateLimit expect_log_;
};

}  // namespace nsr::conntrack
