#include "router/tools/ipset/command.hpp"

#include <algorithm>
#include <utility>

#include "router/tools/ipset/text.hpp"

namespace nsr::router {

namespace {

using sets::Failure;

std::optional<IpsetProblem> outcome_of(Failure failure) {
    return failure == Failure::None
               ? std::nullopt
               : std::optional(IpsetProblem{std::string(sets::text_of(failure))});
}

IpsetVerb verb_of(IpsetCommand command) {
    switch (command) {
        case IpsetCommand::Add:
            return IpsetVerb::Add;
        case IpsetCommand::Del:
            return IpsetVerb::Del;
        default:
            return IpsetVerb::Test;
    }
}

// Of those that a restored text cannot hold.
std::string_view name_of(IpsetCommand command) {
    switch (command) {
        case IpsetCommand::Restore:
            return "restore";
        case IpsetCommand::Help:
            return "help";
        default:
            return "version";
    }
}

}  // namespace

IpsetPass::IpsetPass(IpsetArgs args, std::string input, std::size_t lines)
    : args_(std::move(args)),
      restoring_(args_.command == IpsetCommand::Restore),
      restore_(args_),
      input_(std::move(input)),
      line_(lines) {
}

bool IpsetPass::advance(const IpsetContext& context, std::size_t steps, std::string& out) {
    while (steps > 0 && !(ended_ && !running_ && !listing_)) {
        if (running_) {
            run_elements(context, steps);
        } else if (listing_) {
            if (!listing_->advance(context.sets, listed_, steps, context.now, out)) {
                listing_.reset();
            }
            steps = 0;
        } else {
            if (!restoring_ || next_line()) {
                begin(context);
            }
            --steps;
        }
        ended_ = ended_ || !restoring_ || problem_ || at_ >= input_.size();
    }
    return !(ended_ && !running_ && !listing_);
}

std::string IpsetPass::run_to_end(const IpsetContext& context) {
    constexpr std::size_t kSteps = 4096;
    std::string out;
    while (advance(context, kSteps, out)) {
    }
    return out;
}

// False: there is nothing to do in it, or it cannot be read.
bool IpsetPass::next_line() {
    if (at_ >= input_.size()) {
        return false;
    }
    const std::size_t end = std::min(input_.find('\n', at_), input_.size());
    std::string_view text = std::string_view(input_).substr(at_, end - at_);
    at_ = end + 1;
    ++line_;
    auto args = parse_ipset_line(text);
    if (!args) {
        finish(args.error());
        return false;
    }
    if (!*args) {
        return false;
    }
    args_ = std::move(**args);
    args_.exist = args_.exist || restore_.exist;
    args_.quiet = args_.quiet || restore_.quiet;
    return true;
}

void IpsetPass::begin(const IpsetContext& context) {
    switch (args_.command) {
        case IpsetCommand::Create:
            return finish(create(context));
        case IpsetCommand::Add:
        case IpsetCommand::Del:
        case IpsetCommand::Test:
            return finish(change_elements(context));
        case IpsetCommand::List:
        case IpsetCommand::Save:
            return finish(list(context));
        case IpsetCommand::Destroy:
        case IpsetCommand::Flush:
        case IpsetCommand::Rename:
        case IpsetCommand::Swap:
            return finish(change_sets(context));
        case IpsetCommand::Quit:
            ended_ = true;
            return;
        case IpsetCommand::Restore:
        case IpsetCommand::Help:
        case IpsetCommand::Version:
            break;
    }
    if (restoring_) {
        finish(IpsetProblem{
            "Command `" + std::string(name_of(args_.command)) + "' is invalid in restore mode.",
            2});
    }
}

IpsetPass::Outcome IpsetPass::create(const IpsetContext& context) {
    if (std::string wrong = set_name_problem(*args_.set); !wrong.empty()) {
        return IpsetProblem{std::move(wrong)};
    }
    auto made = read_create_options(args_.second, args_.options);
    if (!made) {
        return made.error();
    }
    std::string begin = "Warning: ";
    for (const std::string& option : made->ignored) {
        warn(std::exchange(begin, "") + "Option '" + option +
             "' is ignored. Please upgrade your syntax.\n");
    }
    sets::SetSpec spec = made->spec;
    if (!made->initval_given) {
        spec.initval = context.sets.draw_initval();
    }
    return outcome_of(context.sets.create(*args_.set, spec, args_.exist));
}

IpsetPass::Outcome IpsetPass::change_elements(const IpsetContext& context) {
    const auto id = context.sets.id_of(*args_.set);
    if (!id) {
        return outcome_of(Failure::NoSet);
    }
    const sets::SetSpec& spec = context.sets.get(*id).spec();
    const IpsetVerb verb = verb_of(args_.command);
    auto elements = parse_elements(args_.second, spec, verb);
    if (!elements) {
        return elements.error();
    }
    auto given = read_element_options(args_.options, spec, verb);
    if (!given) {
        return given.error();
    }
    if (verb == IpsetVerb::Test) {
        return test(context, *given, *elements);
    }
    if (spec.type->storage == sets::Storage::List) {
        return change_member(context, *given, elements->parts());
    }
    // A bitmap ends the walk itself, where its range ends.
    if (spec.type->storage == sets::Storage::Hash && elements->too_many()) {
        return IpsetProblem{"The range you specified exceeds the size limit: " + args_.second +
                            " stands for more than " + std::to_string(Elements::kMost) +
                            " elements"};
    }
    running_.emplace(
        Running{*id, context.sets.serial(*id), std::move(*elements), std::move(*given), verb});
    return std::nullopt;
}

bool IpsetPass::run_elements(const IpsetContext& context, std::size_t& steps) {
    sets::Element element;
    for (; steps > 0; --steps) {
        const bool same = context.sets.exists(running_->set) &&
                          context.sets.serial(running_->set) == running_->serial;
        if (!same || !running_->elements.next(element)) {
            running_.reset();
            finish(same ? std::nullopt : outcome_of(Failure::NoSet));
            return false;
        }
        element.wildcard = running_->given.wildcard;
        const Failure failure =
            running_->verb == IpsetVerb::Add
                ? context.sets.add(running_->set, element, running_->given.extensions, args_.exist,
                                   context.now)
                : context.sets.remove(running_->set, element, args_.exist, context.now);
        if (failure != Failure::None) {
            running_.reset();
            finish(outcome_of(failure));
            return false;
        }
    }
    return true;
}

IpsetPass::Outcome IpsetPass::test(const IpsetContext& context, const GivenWith& given,
                                   const Elements& elements) {
    const sets::SetId id = *context.sets.id_of(*args_.set);
    const Elements::Parts& parts = elements.parts();
    std::string shown = parts.shown;
    bool found = false;
    if (context.sets.get(id).type().storage == sets::Storage::List) {
        const std::string& reference = given.reference.empty() ? parts.reference : given.reference;
        const bool before = given.reference.empty() ? parts.before : given.before;
        if (!reference.empty()) {
            shown += (before ? " before " : " after ") + reference;
        }
        found = context.sets.test_member(id, {parts.member, before, reference}, context.now);
    } else {
        sets::Element element = parts.base;
        element.wildcard = given.wildcard;
        found = context.sets.get(id).test(element, given.extensions.nomatch, context.now);
    }
    if (found) {
        warn("Warning: " + shown + " is in set " + *args_.set + ".\n");
    } else {
        warn(shown + " is NOT in set " + *args_.set + ".\n");
        exit_code_ = 1;
        ended_ = true;
    }
    return std::nullopt;
}

IpsetPass::Outcome IpsetPass::change_member(const IpsetContext& context, const GivenWith& given,
                                            const Elements::Parts& parts) {
    const sets::SetId id = *context.sets.id_of(*args_.set);
    const bool behind = !given.reference.empty();
    const sets::Sets::Member member{parts.member, behind ? given.before : parts.before,
                                    behind ? given.reference : parts.reference};
    return outcome_of(
        args_.command == IpsetCommand::Add
            ? context.sets.add_member(id, member, given.extensions, args_.exist, context.now)
            : context.sets.remove_member(id, member, args_.exist, context.now));
}

IpsetPass::Outcome IpsetPass::list(const IpsetContext& context) {
    std::vector<sets::SetId> ids = context.sets.all();
    if (args_.set) {
        const auto id = context.sets.id_of(*args_.set);
        if (!id) {
            return outcome_of(Failure::NoSet);
        }
        ids = {*id};
    }
    const bool save = args_.command == IpsetCommand::Save;
    SetListing::Form form{args_.output, args_.names && !save, args_.terse && !save, args_.sorted};
    if (form.output == IpsetOutput::Default) {
        form.output = save ? IpsetOutput::Save : IpsetOutput::Plain;
    }
    if (form.names && form.output == IpsetOutput::Save) {
        form.output = IpsetOutput::Plain;
    }
    listed_ = context.references();
    listing_.emplace(std::move(ids), form);
    return std::nullopt;
}

IpsetPass::Outcome IpsetPass::change_sets(const IpsetContext& context) const {
    sets::Sets& sets = context.sets;
    switch (args_.command) {
        case IpsetCommand::Destroy:
            return outcome_of(args_.set ? sets.destroy(*args_.set, context.references())
                                        : sets.destroy_all(context.references()));
        case IpsetCommand::Flush:
            return args_.set ? outcome_of(sets.flush(*args_.set)) : flush_all(context);
        case IpsetCommand::Rename:
            if (std::string wrong = set_name_problem(args_.second); !wrong.empty()) {
                return IpsetProblem{std::move(wrong)};
            }
            return outcome_of(sets.rename(*args_.set, args_.second, context.references()));
        default:
            return outcome_of(sets.swap(*args_.set, args_.second));
    }
}

IpsetPass::Outcome IpsetPass::flush_all(const IpsetContext& context) const {
    for (const sets::SetId id : context.sets.all()) {
        context.sets.flush(context.sets.name_of(id));
    }
    return std::nullopt;
}

void IpsetPass::finish(const Outcome& outcome) {
    if (!outcome) {
        return;
    }
    problem_ = outcome;
    exit_code_ = outcome->exit_code;
    if (!args_.quiet && !restore_.quiet) {
        const bool in_text = restoring_ && outcome->exit_code == 1;
        errors_ += in_text ? to_string(*outcome, line_) : to_string(*outcome);
    }
}

void IpsetPass::warn(const std::string& text) {
    if (!args_.quiet) {
        errors_ += text;
    }
}

IpsetAnswer run_ipset(const IpsetArgs& args, const IpsetContext& context, std::string input) {
    IpsetPass pass(args, std::move(input));
    IpsetAnswer answer;
    answer.text = pass.run_to_end(context);
    answer.errors = pass.errors();
    answer.exit_code = pass.exit_code();
    return answer;
}

}  // namespace nsr::router
