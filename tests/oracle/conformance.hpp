// Every recorded case is a test case of its own name; conformance_cases.cpp is generated from the
// names in cases.tar.xz.
#pragma once

namespace oracle {

// Replays the case in process and compares: it must not differ, or, if it is listed in failing.txt,
// it must.
void check_case(const char* name);

}  // namespace oracle
