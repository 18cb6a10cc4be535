// The functions behind the rows of checks(), by file.
#pragma once

namespace nsr::rules::lint {

class Subject;
class Report;

// order.cpp
void look_for_unreachable(const Subject& subject, Report& report);
void look_for_shadowed(const Subject& subject, Report& report);
void look_for_impossible(const Subject& subject, Report& report);
// jumps.cpp
void look_for_many_jumps(const Subject& subject, Report& report);
// states.cpp
void look_for_nat_of_known(const Subject& subject, Report& report);
void look_for_related_alone(const Subject& subject, Report& report);
void look_for_accepted_invalid(const Subject& subject, Report& report);
void look_for_dropped_answers(const Subject& subject, Report& report);
void look_for_deaf_host(const Subject& subject, Report& report);
// names.cpp
void look_for_missing_interfaces(const Subject& subject, Report& report);
void look_for_unused_chains(const Subject& subject, Report& report);
void look_for_ftp_without_helper(const Subject& subject, Report& report);

}  // namespace nsr::rules::lint
