// -m mark, -m connmark and -m comment.
// kernel: xt_mark.c, xt_connmark.c
#include <array>

#include "core/rules/code.hpp"
#include "core/rules/matches/matches.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kMarkOptions = std::to_array<OptionSpec>({{"mark", 1, true}});
constexpr std::array kCommentOptions = std::to_array<OptionSpec>({{"comment", 1}});
constexpr std::size_t kMaxCommentBytes = 255;

class PacketMarkMatch : public Match {
  public:
    PacketMarkMatch(MarkMask mark, bool invert) : Match("mark"), mark_(mark), invert_(invert) {}
    std::string save() const override {
        return std::string(invert_ ? "! " : "") + "--mark " + to_string(mark_);
    }
    void compile(Code& code) const override {
        code.emit({.op = Op::Mark, .invert = invert_, .value = mark_.value, .mask = mark_.mask});
    }

  private:
    MarkMask mark_;
    bool invert_;
};

class ConnectionMarkMatch : public Match {
  public:
    ConnectionMarkMatch(MarkMask mark, bool invert)
        : Match("connmark"), mark_(mark), invert_(invert) {}
    std::string save() const override {
        return std::string(invert_ ? "! " : "") + "--mark " + to_string(mark_);
    }
    MatchResult test(ActionParam& par) const override {
        const ConnId conn = par.packet.meta.conn;
        if (conn == ConnId::None) {
            return MatchResult::No;
        }
        const Mark mark = par.conntrack.table()[conn].mark;
        return yes_if(((mark & mark_.mask) == mark_.value) != invert_);
    }
    bool needs_tracking() const override { return true; }

  private:
    MarkMask mark_;
    bool invert_;
};

class CommentMatch : public Match {
  public:
    explicit CommentMatch(std::string_view text) : Match("comment"), text_(text) {}
    std::string save() const override { return "--comment " + quoted(text_); }
    void compile(Code&) const override {}

  private:
    std::string text_;
};

std::shared_ptr<const Match> parse_mark_match(const Options& options, RuleContext& context) {
    const GivenOption* given = options.find("mark");
    if (given == nullptr) {
        context.error("match " + in_quotes(options.module) + " needs --mark");
        return nullptr;
    }
    const auto mark = parse_mark(given->value);
    if (!mark) {
        context.error(*given, in_quotes(given->value) + " is not a mark such as 0x1 or 0x1/0xff");
        return nullptr;
    }
    if (options.module == "mark") {
        return std::make_shared<PacketMarkMatch>(*mark, given->inverted);
    }
    return std::make_shared<ConnectionMarkMatch>(*mark, given->inverted);
}

std::shared_ptr<const Match> parse_comment(const Options& options, RuleContext& context) {
    const GivenOption* given = options.find("comment");
    if (given == nullptr) {
        context.error("match \"comment\" needs --comment");
        return nullptr;
    }
    return std::make_shared<CommentMatch>(given->value.substr(0, kMaxCommentBytes));
}

}  // namespace

const MatchModule kMarkMatch = {"mark", kBothFamilies, kMarkOptions, parse_mark_match};
const MatchModule kConnmarkMatch = {"connmark", kBothFamilies, kMarkOptions, parse_mark_match};
const MatchModule kCommentMatch = {"comment", kBothFamilies, kCommentOptions, parse_comment};

}  // namespace nsr::rules
