// The connection table and its statistics.
#include <array>

#include "core/procfs/files.hpp"
#include "core/procfs/nf_conntrack.hpp"
#include "core/procfs/nf_conntrack_expect.hpp"
#include "core/procfs/text.hpp"

namespace nsr::procfs {

namespace {

using conntrack::Conntrack;

constexpr std::size_t kLooksPerRead = 2000;

// Walks the table by id: a record keeps its id for life, so that changes between two reads neither
// repeat nor hide one that was there all the time. A slice may be empty while it goes over places
// that have nothing to show.
class ConnectionCursor : public Cursor {
  public:
    // `only_ipv4`: the file of older kernels, without the columns of the network protocol.
    ConnectionCursor(const Conntrack& conntrack, LineFormat format, bool only_ipv4)
        : conntrack_(conntrack), format_(format), only_ipv4_(only_ipv4) {}

    bool read(std::string& out, std::size_t bytes, Instant now) override {
        const std::size_t enough = out.size() + bytes;
        std::size_t looks = kLooksPerRead;
        while (out.size() < enough) {
            const auto id = conntrack_.table().next(cursor_, looks);
            if (!id) {
                return !cursor_.over;
            }
            append(out, *id, now);
        }
        return true;
    }

  private:
    void append(std::string& out, ConnId id, Instant now) const {
        const conntrack::Connection& connection = conntrack_.table()[id];
        const bool over = jiffies_until(connection.deadline, to_jiffies(now)) <= 0;
        if (over || (only_ipv4_ && connection.family != Family::Ipv4)) {
            return;
        }
        const std::size_t begin = out.size();
        append_nf_conntrack_line(out, conntrack_, id, now, format_);
        if (only_ipv4_) {
            constexpr std::string_view kPrefix = "ipv4     2 ";
            out.erase(begin, kPrefix.size());
        }
    }

    const Conntrack& conntrack_;
    LineFormat format_;
    bool only_ipv4_;
    conntrack::Table::Cursor cursor_;
};

// In the order of their slots: one that comes while the file is read may be left out.
class ExpectCursor : public Cursor {
  public:
    explicit ExpectCursor(const Conntrack& conntrack) : conntrack_(conntrack) {}

    bool read(std::string& out, std::size_t bytes, Instant now) override {
        const std::size_t enough = out.size() + bytes;
        auto id = conntrack_.expectations().next(last_);
        for (; id != 0 && out.size() < enough; id = conntrack_.expectations().next(id)) {
            append_expect_line(out, conntrack_, id, now);
            last_ = id;
        }
        return id != 0;
    }

  private:
    const Conntrack& conntrack_;
    conntrack::ExpectId last_ = 0;  // that was shown
};

}  // namespace

std::unique_ptr<Cursor> open_nf_conntrack(const Context& context) {
    return std::make_unique<ConnectionCursor>(context.router.conntrack(), context.line_format,
                                              false);
}

std::unique_ptr<Cursor> open_ip_conntrack(const Context& context) {
    return std::make_unique<ConnectionCursor>(context.router.conntrack(), context.line_format,
                                              true);
}

std::unique_ptr<Cursor> open_nf_conntrack_expect(const Context& context) {
    return std::make_unique<ExpectCursor>(context.router.conntrack());
}

// One row for the one thread there is. kernel: ct_cpu_seq_show
std::string read_stat_nf_conntrack(const Context& context, Instant /*now*/) {
    const conntrack::Stats& stats = context.router.conntrack().stats();
    constexpr std::uint64_t kUnused = 0;
    const std::array<std::uint64_t, 17> columns = {
        context.router.connections(),
        stats.clashres,
        stats.found,
        kUnused,
        stats.invalid,
        kUnused,
        kUnused,
        stats.chaintoolong,
        stats.insert,
        stats.insert_failed,
        stats.drop,
        stats.early_drop,
        stats.icmp_error,
        stats.expect_new,
        stats.expect_create,
        stats.expect_delete,
        stats.search_restart,
    };
    std::string out =
        "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop "
        "early_drop icmp_error  expect_new expect_create expect_delete search_restart\n";
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const bool wide_gap = i == 1 || i == 13;
        const std::size_t gap = i == 0 ? 0 : 1;
        out.append(wide_gap ? 2 : gap, ' ');
        text::append_hex(out, static_cast<std::uint32_t>(columns[i]), 8);
    }
    return out += '\n';
}

}  // namespace nsr::procfs
