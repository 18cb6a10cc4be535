// ipset(8) carried out: one command, or a text of many, a little at a time.
//
// Theory of operation
//   Whoever has the sets calls advance() until there is no more; each call does a bounded amount of
//   work, so that packets come between, however many elements a range or a text means. Text for
//   standard output is appended as it comes; what the tool says on standard error, and its exit
//   code, are there at the end. A restored text is carried out line by line, and ends at the first
//   line that fails; what stood before it is done.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/sets/sets.hpp"
#include "router/tools/ipset/args.hpp"
#include "router/tools/ipset/elements.hpp"
#include "router/tools/ipset/listing.hpp"
#include "router/tools/ipset/options.hpp"

namespace nsr::router {

struct IpsetContext {
    sets::Sets& sets;
    std::function<sets::References()> references;  // of the rules at this moment
    Instant now;
};

class IpsetPass {
  public:
    // `input` is the text of `restore`, or a part of it behind as many lines.
    explicit IpsetPass(IpsetArgs args, std::string input = {}, std::size_t lines = 0);

    // Does about as much as takes `steps` elements; false: that was all.
    bool advance(const IpsetContext& context, std::size_t steps, std::string& out);
    // All that is left of it, for texts that nobody waits for. Returns the text.
    std::string run_to_end(const IpsetContext& context);

    [[nodiscard]] int exit_code() const { return exit_code_; }
    // For standard error, in whole lines.
    [[nodiscard]] const std::string& errors() const { return errors_; }
    // In the one line or the command where it failed, without the name of the tool.
    [[nodiscard]] const std::optional<IpsetProblem>& problem() const { return problem_; }
    [[nodiscard]] std::size_t line() const { return line_; }  // 0: not in a restored text

  private:
    using Outcome = std::optional<IpsetProblem>;

    bool next_line();
    void begin(const IpsetContext& context);
    Outcome create(const IpsetContext& context);
    Outcome change_elements(const IpsetContext& context);
    Outcome test(const IpsetContext& context, const GivenWith& given, const Elements& elements);
    Outcome change_member(const IpsetContext& context, const GivenWith& given,
                          const Elements::Parts& parts);
    Outcome list(const IpsetContext& context);
    Outcome change_sets(const IpsetContext& context) const;
    Outcome flush_all(const IpsetContext& context) const;
    // Some elements of a range; true: there are more.
    bool run_elements(const IpsetContext& context, std::size_t& steps);
    void finish(const Outcome& outcome);
    void warn(const std::string& text);

    // The range at work. A set that is another one by now is not written to.
    struct Running {
        sets::SetId set;
        std::uint64_t serial;
        Elements elements;
        GivenWith given;
        IpsetVerb verb;
    };

    IpsetArgs args_;  // of the command, or of the line at work
    bool restoring_ = false;
    IpsetArgs restore_;
    std::string input_;
    std::size_t at_ = 0;  // in input_
    std::size_t line_ = 0;
    bool ended_ = false;
    std::optional<Running> running_;
    std::optional<SetListing> listing_;
    sets::References listed_;  // references when the listing began
    std::string errors_;
    std::optional<IpsetProblem> problem_;
    int exit_code_ = 0;
};

// All at once, for texts that nobody waits for (a configuration, a replay).
struct IpsetAnswer {
    std::string text;
    std::string errors;
    int exit_code = 0;
};
IpsetAnswer run_ipset(const IpsetArgs& args, const IpsetContext& context, std::string input = {});

inline constexpr std::string_view kIpsetVersion = "ipset v7.17, protocol version: 7\n";

}  // namespace nsr::router
