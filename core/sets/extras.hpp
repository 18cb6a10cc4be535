// Extras: what a set keeps of every element beside its key (timeout, counters, comment, ...), as
// words of a Table's row.
// kernel: the extensions of ip_set.h
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/base/instant.hpp"
#include "core/sets/element.hpp"
#include "core/sets/spec.hpp"

namespace nsr::sets {

class Extras {
  public:
    explicit Extras(const SetSpec& spec);

    [[nodiscard]] unsigned words() const { return words_; }

    // Jiffies; 0: it stays.
    [[nodiscard]] Jiffies deadline(const std::uint32_t* row) const {
        return deadline_at_ ? row[*deadline_at_] : 0;
    }
    void set_deadline(std::uint32_t* row, std::uint32_t seconds, Instant now) const;
    // kernel: ip_set_timeout_expired
    [[nodiscard]] bool expired(const std::uint32_t* row, Instant now) const {
        const Jiffies at = deadline(row);
        return at != 0 && jiffies_until(at, to_jiffies(now)) < 0;
    }
    [[nodiscard]] bool nomatch(const std::uint32_t* row) const {
        return nomatch_at_ && row[*nomatch_at_] != 0;
    }
    struct Counters {
        std::uint64_t packets = 0;
        std::uint64_t bytes = 0;
    };
    // Precondition: the set counts.
    [[nodiscard]] Counters counters(const std::uint32_t* row) const;
    void set_counters(std::uint32_t* row, const Counters& counters) const;
    [[nodiscard]] bool counts() const { return counters_at_.has_value(); }
    [[nodiscard]] std::optional<SkbInfo> skbinfo(const std::uint32_t* row) const;
    [[nodiscard]] std::optional<MacAddress> mac(const std::uint32_t* row) const;
    void set_mac(std::uint32_t* row, const std::optional<MacAddress>& mac) const;

    // What was given with an element that is added, or added again: counters that are not given
    // stay, all else that is not given is taken away.
    void write(std::uint32_t* row, const Extensions& given, std::uint32_t default_timeout,
               Instant now);
    // What is known of it, for people.
    [[nodiscard]] Extensions read(const std::uint32_t* row, Instant now) const;
    // Before the row is removed.
    void release(const std::uint32_t* row);

    [[nodiscard]] std::size_t comment_bytes() const { return comment_bytes_; }
    // Forgets all comments; the texts, if any, go to the end of `texts`.
    void clear(std::deque<std::deque<std::string>>& texts);

  private:
    void write_comment(std::uint32_t& word, const std::optional<std::string>& comment);

    using Offset = std::optional<unsigned>;
    Offset take(bool wanted, unsigned words);

    unsigned words_ = 0;
    Offset nomatch_at_;
    Offset deadline_at_;
    Offset counters_at_;
    Offset comment_at_;  // one more than the place in comments_; 0: none
    Offset skbinfo_at_;
    Offset mac_at_;
    std::deque<std::string> comments_;
    std::vector<std::uint32_t> free_comments_;
    std::size_t comment_bytes_ = 0;
};

}  // namespace nsr::sets
